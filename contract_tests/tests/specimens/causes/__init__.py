"""Three small pairs as ordinary teams write them, each with the list of its true causes, written before it was run."""
