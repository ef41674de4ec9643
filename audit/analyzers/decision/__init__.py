"""Which decision a reply makes: an option, a number, a list of ranks, a pick between two."""
