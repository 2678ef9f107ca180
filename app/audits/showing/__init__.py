"""An audit as a person looks through it, marks files in it, and takes it away."""
