"""Probes for bias: the same question about people of different groups."""
