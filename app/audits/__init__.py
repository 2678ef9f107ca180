"""Duplicate audits: what is a copy of what, which one stays, and what becomes of the others."""
