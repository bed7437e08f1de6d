"""What data is found to break of what it must keep, read as relations by any engine."""
