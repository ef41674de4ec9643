"""Evenhand: audits of language models, and the files that mend what they find."""

__all__ = ["__version__"]

__version__ = "0.1.0"
