"""Models run here with the transformers library."""
