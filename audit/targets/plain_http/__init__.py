"""Any endpoint that takes and gives JSON."""
