"""Safety probes: harmful requests, and their harmless look-alike twins."""
