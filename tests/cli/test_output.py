"""What commands say of the model that answered."""

import pytest

from app.cli.output import say_caveat


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ("untrained_vits14", "untrained encoder: it sees colours and layout, not things; `dinoseek models pull"),
        ("dinoseek_tiny14", "small bundled encoder: it finds copies"),
    ],
)
def test_a_model_with_a_caveat_says_it_on_standard_error(model, said, capsys):
    say_caveat(model)
    printed = capsys.readouterr()
    assert said in printed.err.replace("\n", " ")
    assert printed.out == ""


@pytest.mark.parametrize("model", ["dinov2_vits14", "dinoseek_of_old"])
def test_others_say_nothing(model, capsys):
    say_caveat(model)
    assert capsys.readouterr().err == ""
