"""Gates: what may not go into a retraining file, and how many examples each gate refused.

An example that trains a repair must not come from what measures it, must not teach a difference
that the norms allow, must be an answer worth giving, and must point in the right direction.
"""
