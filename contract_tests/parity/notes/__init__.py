"""Release notes for the users of an API: two documents and a ledger are read, and what breaks a client comes first."""
