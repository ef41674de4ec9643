"""Citations that do not exist, and premises that are false."""
