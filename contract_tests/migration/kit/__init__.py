"""The wire kit for a project that is not ours: copied into it, and held against what was copied."""
