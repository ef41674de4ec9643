"""Pure rewrites of a request, text to text, one family a file."""
