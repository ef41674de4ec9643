"""A program that is started for each request."""
