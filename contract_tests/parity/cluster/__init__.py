"""A corpus on many processes or machines: workers send and compare, and one process judges, as if it had sent."""
