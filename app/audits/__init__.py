"""Duplicate audits: candidates, a check of each, groups around a keeper, a person's decisions."""
