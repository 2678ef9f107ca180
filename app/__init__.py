"""dinoseek: finds pictures by looking at them."""
