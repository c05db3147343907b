"""An app to read, never to run: `planted: NAME` marks each call that blocks the loop, `innocent` what only looks so."""
