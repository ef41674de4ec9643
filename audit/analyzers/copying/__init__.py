"""What a reply repeats: a training file, or another reply."""
