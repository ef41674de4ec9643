"""Endpoints that speak the API of OpenAI, asked through its own client."""
