"""One contract suite for both apps, and the engine that compares any two."""
