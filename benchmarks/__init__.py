"""Measurements, never run by the tests. `make bench`."""
