"""Recorded traffic read from files, joined by request id and compared as live answers are (docs/recording.md)."""
