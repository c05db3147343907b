"""Pure functions over plain values of HTTP that both edges need; no rule imports this package."""
