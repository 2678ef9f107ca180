import pytest

from app.samples import generate


@pytest.fixture(scope="session")
def album(tmp_path_factory):
    """A folder with the first 12 files, two of them copies, and its truth."""
    folder = tmp_path_factory.mktemp("samples")
    return folder, generate(folder, count=12)
