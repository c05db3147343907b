"""The talk's own pair, as its slides show it: the password in the response, the request deep in the call stack."""
