"""What was found, and what a person said of it, becomes groups: each with the copy that is kept, and why."""
