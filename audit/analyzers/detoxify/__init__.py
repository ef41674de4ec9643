"""Toxicity by a Detoxify checkpoint of the user's own."""
