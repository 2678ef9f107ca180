"""What a person labels says how right each threshold is, and which one is used."""
