"""Which words stand beside which groups."""
