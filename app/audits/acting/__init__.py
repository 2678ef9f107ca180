"""Files into quarantine and back: written down first, moved, never deleted."""
