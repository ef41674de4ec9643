"""Toxicity by a lexicon that is blind to who is named."""
