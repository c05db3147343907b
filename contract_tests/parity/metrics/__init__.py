"""Two apps' metrics: read, brought to one form, and compared by tests that say their confidence."""
