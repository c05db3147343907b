"""Tools for the talk's steps: each works on anyone's app, and knows neither ours nor the parity engine."""
