"""People's labels of a run's own answers: a blind random sample out, labels in, agreement, corrections."""
