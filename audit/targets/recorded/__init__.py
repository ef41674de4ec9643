"""Outputs that exist already: files, and logs of other tools."""
