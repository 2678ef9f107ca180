"""Pictures are looked at, pairs that may be copies are listed, and each pair is compared."""
