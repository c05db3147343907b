"""What calls what in a package, read from its source: nothing is imported, and what cannot be told is left out."""
