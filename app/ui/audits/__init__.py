"""The parts of the page of audits."""
