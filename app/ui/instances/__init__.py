"""The parts of the page that finds one and the same thing."""
