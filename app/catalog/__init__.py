"""The catalogue: SQL is the truth. Tables, and queries per noun that never commit."""
