"""docs/models.md says what is true: its examples are run as they stand there."""

import doctest
import re
from pathlib import Path

import pytest
import torch

from app.settings import get_settings
from app.vision import untrained
from app.vision.architectures import get_architecture
from app.vision.positions import RESAMPLINGS
from app.vision.sides import SIDES

PAGE = Path(__file__).parents[2] / "docs" / "models.md"


@pytest.fixture
def weights_here(tmp_path, monkeypatch) -> None:
    """Seeded weights under the name of the smallest published file, where the settings and the page look for it."""
    architecture = get_architecture("dinov2_vits14")
    torch.save(untrained.state_dict(architecture), tmp_path / architecture.file_name)
    monkeypatch.setenv("DINOSEEK_WEIGHTS_DIR", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    get_settings.cache_clear()
    yield
    get_settings.cache_clear()


def test_the_examples_print_what_the_page_says(weights_here):
    examples = "".join(re.findall(r"```pycon\n(.*?)```", PAGE.read_text(), re.DOTALL))
    page = doctest.DocTestParser().get_doctest(examples, {}, PAGE.name, str(PAGE), 0)
    said = []
    doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(page, out=said.append)
    assert len(page.examples) > 20
    assert not said, "".join(said)


@pytest.mark.parametrize("choice", [*RESAMPLINGS, *SIDES])
def test_the_page_has_a_row_for_every_choice(choice):
    assert f'\n| `"{choice}"` |' in PAGE.read_text()
