"""What the rows of retraining files look like, one encoding a file, and which format has which."""
