"""What reads outputs: each analyzer sees exchanges, never groups."""
