"""A small classifier of decisions that can be retrained."""
