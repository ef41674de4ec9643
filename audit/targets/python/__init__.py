"""Functions and applications in Python."""
