"""Sentiment, and regard for whom a reply speaks of."""
