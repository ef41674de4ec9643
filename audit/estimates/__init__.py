"""From scores and groups to estimates: the only place where the two meet."""
