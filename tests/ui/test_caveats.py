"""A model that is not the real one says so, and offers it."""

from streamlit.testing.v1 import AppTest

from app.ui import caveats


def shown(model: str) -> list[str]:
    def page(model: str) -> None:
        from app.ui import caveats

        caveats.banner(model)

    return [notice.value for notice in AppTest.from_function(page, args=(model,)).run().info]


def test_the_bundled_encoder_offers_the_real_one():
    (said,) = shown("dinoseek_tiny14")
    assert said.startswith("**Small bundled encoder (dinoseek_tiny14):**")
    assert "`dinoseek models pull dinov2_vits14`, then `dinoseek collections switch`" in said


def test_the_real_one_has_no_banner():
    assert shown("dinov2_vits14") == []
    assert caveats.suffix("dinov2_vits14") == ""


def test_a_model_of_another_time_has_none_either():
    assert shown("dinoseek_of_old") == []


def test_a_caveat_stands_behind_the_name():
    assert caveats.suffix("untrained_vits14") == " (untrained encoder)"
