"""An OpenAI-compatible server on loopback, with specimens and faulty and hostile models behind its names."""
