"""What the pages promise exists: commands with their options, make targets, modules, variables, files and headings."""

import importlib.util
import re
import shlex
from pathlib import Path

import pytest
import typer

from app.cli.main import dinoseek
from app.settings import Settings

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
ROOT_COMMAND = typer.main.get_command(dinoseek)
ENDS = re.compile(r"\s(?:#|&&|\||;)\s.*")


def code(page: Path) -> list[str]:
    """Every line of a code block and every piece of inline code."""
    text = page.read_text()
    blocks = re.findall(r"^```\w*\n(.*?)^```", text, re.M | re.S)
    inline = re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.M | re.S))
    return [line for block in blocks for line in block.splitlines()] + inline


def said(pattern: str) -> list[str]:
    found = (re.search(pattern, line.replace("docker compose exec ui ", "")) for page in PAGES for line in code(page))
    return sorted({match[0] for match in found if match})


@pytest.mark.parametrize("line", said(r"^(\. \S+ && )?dinoseek .*"))
def test_a_command_of_the_pages_is_one(line):
    words = shlex.split(ENDS.sub("", line))[1:]
    command, context = ROOT_COMMAND, typer.Context(ROOT_COMMAND)
    while words and hasattr(command, "get_command") and not words[0].startswith("-"):
        name = words.pop(0)
        if name.isupper():  # stands for any
            break
        command = command.get_command(context, name)
        assert command is not None, f"`{line}`: there is no {name!r}"
    known = {option for parameter in command.params for option in parameter.opts} | {"--help"}
    assert {word for word in words if re.match(r"--?[a-z]", word)} <= known, line


@pytest.mark.parametrize("line", said(r"\bmake [a-z]+\b.*"))
def test_a_make_target_of_the_pages_is_one(line):
    makefile = (ROOT / "Makefile").read_text()
    target, *variables = shlex.split(ENDS.sub("", line))[1:]
    assert re.search(rf"^{target}:", makefile, re.M), line
    for name in (variable.partition("=")[0] for variable in variables):
        assert re.search(rf"^{name}\s*\?=", makefile, re.M), line


@pytest.mark.parametrize("module", sorted({found.split()[2] for found in said(r"python -m [\w.]+")}))
def test_a_module_of_the_pages_can_be_run(module):
    if module not in ("pip", "venv"):
        assert importlib.util.find_spec(module) is not None


def test_every_variable_of_the_pages_is_a_setting():
    named = {name for page in PAGES for name in re.findall(r"\bDINOSEEK_([A-Z_]+)\b", page.read_text())}
    assert named <= {name.upper() for name in Settings.model_fields}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if target.startswith(("http", "mailto")):
            continue
        path, _, heading = target.partition("#")
        place = (page.parent / path) if path else page
        assert place.exists(), f"{page.name}: {target}"
        assert not heading or heading in headings(place), f"{page.name}: {target}"


def headings(page: Path) -> set[str]:
    """As GitHub names them."""
    titles = re.findall(r"^#+ (.+)$", page.read_text(), re.M)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}
