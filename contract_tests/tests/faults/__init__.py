"""Faults that are planted on purpose, one at a time: the proof that the tests would notice each of them."""
