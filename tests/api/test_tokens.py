"""Examples in addresses: there and back, and what is none."""

import re

import pytest

from app.api.tokens import read_token, token
from app.errors import InvalidInput
from app.search.examples import Example

DIGEST = "ab" * 32


@pytest.mark.parametrize(
    ("example", "text"),
    [
        (Example(image_id=7), "i7"),
        (Example(digest=DIGEST), f"q{DIGEST}"),
        (Example(image_id=7, box=(0.1, 0.25, 0.9, 1.0), wanted=False), "-i7.1000.2500.9000.10000"),
        (Example(digest=DIGEST, box=(0.0, 0.0001, 0.5, 0.5)), f"q{DIGEST}.0.1.5000.5000"),
    ],
)
def test_an_example_comes_back_from_its_token(example, text):
    assert token(example) == text
    assert read_token(text) == example


@pytest.mark.parametrize(
    "text", ["", "7", "i", "q12", "i7.1.2.3", "i7.1.2.3.4.5", "--i7", "i７", "i7\n", "i7.-1.2.3.4"]
)
def test_what_is_no_token_is_refused(text):
    with pytest.raises(ValueError, match=f"^{re.escape(text)}$"):
        read_token(text)


def test_a_box_that_is_none_is_told_in_a_sentence():
    with pytest.raises(InvalidInput, match=r"0\.5,0,0\.2,1"):
        read_token("i7.5000.0.2000.10000")
