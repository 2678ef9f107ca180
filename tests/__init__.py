import os

# Programs are started hundreds of times: each would compile all of the app again.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# Two processes of tests share two cores: with two threads each they wait for one another, at three times the CPU.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")
