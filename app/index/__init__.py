"""Knows FAISS and numpy: nearest neighbours, fresh rows and tombstones. No SQL, no torch."""
