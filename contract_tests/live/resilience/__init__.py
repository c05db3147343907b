"""What both apps survive on real servers: bursts, signals, kills, a full disk, a database that goes away."""
