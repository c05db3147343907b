"""Pairs that share nothing with this service: each as an ordinary team writes, with the list of what truly differs."""
