"""The command `parity globals`: where Flask's global objects are used, and how requests get there. docs/globals.md"""
