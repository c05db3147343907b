"""Apps that are not ours to deploy: each keeps faults on purpose, so that a tool can be seen to find them."""
