"""Faults: processes killed, servers lost, disks full, clocks wrong, poison. What was acknowledged is there, once."""
