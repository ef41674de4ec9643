"""Probe generators: they make prompts and know no model, no score and no result."""
