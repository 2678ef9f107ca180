"""Figures in words."""

from datetime import datetime

import pytest

from app.ui import words
from app.upkeep import IndexFacts


@pytest.mark.parametrize(
    ("score", "word"),
    [(1.0, "copy"), (0.96, "copy"), (0.9, "very close"), (0.6, "similar"), (0.1, "distant"), (-1.0, "distant")],
)
def test_a_score_has_a_word(score, word):
    assert words.score_word(score, "dinov2_vits14", trained=True) == word


def test_an_untrained_network_gives_no_words():
    assert words.score_word(1.0, "untrained_vits14", trained=False) == ""


@pytest.mark.parametrize(("score", "share"), [(-0.5, 0.0), (0.5, 0.5), (1.0000001, 1.0)])
def test_a_bar_is_never_shorter_than_nothing_or_longer_than_full(score, share):
    assert words.score_share(score) == share


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1024, "1 kB"),
        (2**20, "1.0 MB"),
        (52 * 2**20, "52 MB"),
        (3 * 2**40, "3.0 TB"),
    ],
)
def test_a_size_has_one_unit(count, text):
    assert words.size(count) == text


@pytest.mark.parametrize(("seconds", "text"), [(0.2, "1 s"), (40, "40 s"), (125, "2 min 5 s"), (7500, "2 h 5 min")])
def test_a_duration_has_two_units_at_most(seconds, text):
    assert words.duration(seconds) == text


def test_dates_counts_and_lists():
    assert words.day(datetime(2021, 3, 5)) == "5 Mar 2021"
    assert words.moment(datetime(2021, 3, 5, 9, 7)) == "5 Mar 2021, 09:07"
    assert (words.day(None), words.moment(None), words.dimensions(None, 3)) == ("", "", "")
    assert (words.count(1), words.count(1281)) == ("1 picture", "1,281 pictures")
    assert words.joined("a", "", "b") == "a · b"


def test_a_strangers_text_is_no_markup():
    assert words.plain("[a](http://b) *c* :red[d] $e$") == r"\[a\](http\://b) \*c\* \:red\[d\] \$e\$"


def test_an_index_is_told_with_its_measured_recall():
    built = {"recipe": "cells-8bit", "vectors": 200_000, "recall_at_10": 0.9815, "bytes": 400 * 2**20}
    facts = IndexFacts("photos", "m", 200_500, built, tail=500, tombstones=3, state="fresh")
    assert words.index(facts) == (
        "cells-8bit, 200,000 pictures · finds 98.2% of the true ten nearest · 400 MB · 500 newer beside it"
    )
    assert words.index(IndexFacts("photos", "m", 5, None, 5, 0, "tail")) == "none yet: the rows are scanned"
