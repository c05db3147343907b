"""The probes: raw bytes that both apps are sent over sockets, as data, and what is known of the answers."""
