"""Queries in, hits out."""
