"""Whether a reply refuses, and how far."""
