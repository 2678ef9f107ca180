"""Serves the labelling panel alone: `python -m tests.ui.labelling_server HOME PORT`."""

import sys
from pathlib import Path

from app.api import server
from app.resources import open_resources
from tests.conftest import make_settings

if __name__ == "__main__":
    server.MAIN_SCRIPT = Path(__file__).with_name("labelling_view.py")
    server.serve(open_resources(make_settings(Path(sys.argv[1]))), port=int(sys.argv[2]))
