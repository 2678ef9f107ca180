"""How the bundled encoder was made: contrastive training on photos and painted scenes. Nothing in `app` imports it."""
