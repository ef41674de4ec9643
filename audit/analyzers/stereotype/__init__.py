"""Which stereotypes a reply repeats or denies."""
