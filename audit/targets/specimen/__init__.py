"""A model with planted faults, to rehearse on."""
