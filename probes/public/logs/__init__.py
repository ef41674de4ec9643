"""Readers of what other tools and services have written: from a file to conversations and their replies."""
