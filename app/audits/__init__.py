"""Duplicate audits: from pairs that may be copies to groups a person acts on, and the way back."""
