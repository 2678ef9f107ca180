"""How the bundled encoder is trained."""
