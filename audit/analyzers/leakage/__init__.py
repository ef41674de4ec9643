"""Personal data and secrets in a reply."""
