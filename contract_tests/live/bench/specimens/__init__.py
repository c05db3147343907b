"""The apps that a benchmark holds ours against."""
