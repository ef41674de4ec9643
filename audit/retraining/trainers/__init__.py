"""Trainers: each takes a target and retraining files and gives a target that learned from them."""
