"""Photos in: receive uploads, scan folders, embed what waits, and say how far it is."""
