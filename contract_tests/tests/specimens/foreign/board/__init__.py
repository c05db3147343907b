"""A notice board of server-rendered forms, with cookies, flash and redirects, and a port that keeps the templates."""
