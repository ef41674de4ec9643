"""Loaders of files that a user has: public benchmarks by reference, and the user's own tables."""
