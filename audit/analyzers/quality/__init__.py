"""Length, readability, courtesy and language of a reply."""
