"""`python -m app.cli`: the same as `dinoseek`, for where the script is not on the path."""

from app.cli.main import main

main()
