"""What each route costs and how many answers it gives: a benchmark for people, no test and no part of `make check`."""
