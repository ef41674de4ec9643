"""Targets that take many requests at once and answer later."""
