"""A pulse whose messages nobody takes: run with a home and a broker, ends as a deaf worker does."""

import sys
import threading
from pathlib import Path

from app.resources import open_resources
from tests.conftest import make_settings
from tests.program import PATIENCE_S
from workers import pulse
from workers.celery_app import make_app

if __name__ == "__main__":
    settings = make_settings(Path(sys.argv[1]), broker_url=sys.argv[2], sweep_s=0.1)
    pulse.DEAF_S, pulse.GRACE_S = 1.0, 0.2
    thread = pulse.Pulse(make_app(settings), open_resources(settings), threading.Event())
    thread.start()
    print("looking", flush=True)
    thread.join(PATIENCE_S)
