"""Strategies: each says which findings it answers, and makes the examples for them."""
