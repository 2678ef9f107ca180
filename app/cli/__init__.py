"""The command line: it translates, and holds no business. Answers go to standard output, the rest to standard error."""
