"""The pages as Streamlit runs them, without a browser: what they say and what they send to the grid."""

import json
import shutil
from pathlib import Path

import pytest
from sqlalchemy import update
from streamlit.testing.v1 import AppTest

from app import library, switching
from app.api import face
from app.catalog import workers
from app.catalog.clock import db_now
from app.catalog.models import Collection, Image, Reembedding, Worker
from app.catalog.states import ImageStatus
from app.ingest import failures as refusals
from app.resources import open_resources
from app.ui import failures, folders
from app.ui.ask import Ask, to_address
from tests.conftest import make_settings, paint
from tests.program import PATIENCE_S
from tests.workshop import COLLECTION, fill, workshop

MAIN = Path(failures.__file__).parent / "main.py"
LIBRARY = "views/library.py"


@pytest.fixture
def page(resources):
    """The application on an empty home."""
    face.install(resources)
    yield AppTest.from_file(str(MAIN), default_timeout=PATIENCE_S)
    face.close()


@pytest.fixture(scope="session")
def filled_home(tmp_path_factory, encoders) -> Path:
    """A home with five pictures, one of them broken. Embedded once; each test has a copy."""
    root = tmp_path_factory.mktemp("filled")
    photos = [paint(root / "photos" / f"{number}.jpg", number) for number in range(4)]
    broken = root / "photos" / "broken.jpg"
    broken.write_bytes(photos[0].read_bytes()[:700])
    resources = open_resources(make_settings(root / "home"))
    with workshop(resources, encoders) as shop:
        fill(shop, *photos, broken)
    resources.catalog.dispose()
    return root / "home"


@pytest.fixture
def resources(request, tmp_path):
    if "filled" in request.fixturenames:
        shutil.copytree(request.getfixturevalue("filled_home"), tmp_path / "home")
    opened = open_resources(make_settings(tmp_path / "home"))
    yield opened
    opened.catalog.dispose()


@pytest.fixture
def filled(page):
    """The application on a copy of the filled home."""
    return page


def ask(page: AppTest, **parts) -> AppTest:
    for name, value in to_address(Ask(COLLECTION, **parts)).items():
        page.query_params[name] = value
    return page.run()


def sent(page: AppTest, key: str) -> dict:
    """What a part of ours was given to draw."""
    element = next(part for part in page.get("bidi_component") if part.key == key)
    return json.loads(element.proto.json)


def names(page: AppTest, key: str = "hits") -> list[str]:
    return [tile["name"] for tile in sent(page, key)["tiles"]]


def test_an_empty_home_says_what_to_do_first(page):
    page.run()
    assert not page.exception
    assert page.button[0].label == "Make a collection"
    page.switch_page(LIBRARY).run()
    assert "first collection" in page.markdown[0].value


def test_a_collection_is_made_and_opened(page, resources):
    page.switch_page(LIBRARY).run()
    page.text_input[0].input("Holidays *2026*")
    page.button[0].click().run()
    assert page.error[0].value.startswith(r"'Holidays \*2026\*' can't name a collection")
    page.text_input[0].input("Holidays 2026")
    page.selectbox[1].select("light")
    page.button[0].click().run()
    assert page.query_params["collection"] == "Holidays 2026"
    assert library.collection(resources, "Holidays 2026").instances == "light"
    assert page.markdown[0].value == "## Holidays 2026"


def test_pictures_of_the_collection_are_offered_to_start_from(filled):
    filled.run()
    assert names(filled, "starters") == ["0.jpg", "1.jpg", "2.jpg", "3.jpg"]
    assert sent(filled, "starters")["click"] == "like"
    assert "Small bundled encoder" in filled.info[0].value


def test_more_like_a_picture_leaves_itself_out(filled, resources):
    first = library.pictures(resources, COLLECTION)[0]
    ask(filled, image_id=first.image_id)
    assert sorted(names(filled)) == ["1.jpg", "2.jpg", "3.jpg"]
    assert sent(filled, "hits")["query"]["name"] == "0.jpg"
    assert any("ms" in caption.value and "dinoseek_tiny14" in caption.value for caption in filled.caption)


def test_a_dropped_picture_finds_itself_and_the_best_comes_first(filled, tmp_path):
    digest = face.current().desk.prepare_query(paint(tmp_path / "query.jpg", 2).read_bytes()).digest
    ask(filled, digest=digest, k=3)
    tiles = sent(filled, "hits")["tiles"]
    assert (len(tiles), tiles[0]["name"], tiles[0]["number"]) == (3, "2.jpg", "1.000")
    ask(filled, digest=digest, k=3, box=(0.0, 0.0, 0.5, 0.5))
    assert sent(filled, "picker")["box"] == [0.0, 0.0, 0.5, 0.5]
    assert sent(filled, "hits")["tiles"][0]["number"] != "1.000"


def test_filters_narrow_and_say_when_nothing_is_left(filled, resources):
    image_id = library.pictures(resources, COLLECTION)[0].image_id
    filled.query_params["min_px"] = "5000"
    ask(filled, image_id=image_id)
    assert "Nothing fits" in filled.info[-1].value
    filled.number_input(key="filter_min_px").set_value(100).run()
    assert filled.query_params["min_px"] == "100"
    assert len(names(filled)) == 3


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ({"box": "0,0,1"}, "box='0,0,1'"),
        ({"collection": "nowhere"}, "no collection is called 'nowhere'"),
        ({"image": "9999"}, "9999"),
        ({"q": "0" * 64}, "not kept here any more"),
        ({"image": "1", "k": "100000"}, "100000"),
        ({"image": "1", "box": "0.5,0.5,0.2,0.9"}, "box"),
    ],
)
def test_an_address_that_leads_nowhere_is_one_sentence(filled, address, sentence):
    for name, value in address.items():
        filled.query_params[name] = value
    filled.run()
    assert not filled.exception
    assert [sentence in error.value and "\n" not in error.value for error in filled.error] == [True]


def test_what_breaks_inside_is_one_sentence_too(filled, monkeypatch):
    monkeypatch.setattr(library, "collections", lambda resources: 1 / 0)
    filled.run()
    assert not filled.exception
    assert [error.value for error in filled.error] == [failures.BROKEN]


def test_the_library_shows_collections_then_their_pictures_and_refusals(filled):
    filled.switch_page(LIBRARY).run()
    card = sent(filled, "shelf")["cards"][0]
    assert (card["name"], len(card["covers"]), card["line"]) == (COLLECTION, 4, "4 pictures · 1 refused")
    filled.query_params["collection"] = COLLECTION
    filled.run()
    assert names(filled, "pictures") == ["0.jpg", "1.jpg", "2.jpg", "3.jpg"]
    assert any(title.value == "**Cut short** · 1 picture" for title in filled.markdown)
    assert "broken.jpg" in html(filled, "refused")
    assert "cut short" in html(filled, "refused")


def open_collection(page: AppTest) -> AppTest:
    page.query_params["collection"] = COLLECTION
    return page.switch_page(LIBRARY).run()


def press(page: AppTest, key: str) -> AppTest:
    return page.button(key=f"retry {key} in {COLLECTION}").click().run()


def refuse(resources, code: str, *image_ids: int, reason: str = "for a test") -> None:
    """Failed as a worker would leave them."""
    with resources.catalog.begin() as session:
        chosen = update(Image).where(Image.id.in_(image_ids))
        session.execute(chosen.values(status=ImageStatus.FAILED, code=code, reason=reason, attempts=3))


def test_refused_pictures_are_tried_again_by_reason_or_all_at_once(filled, resources):
    refuse(resources, "worker_died", 1, 2, reason="<b>the worker</b> died")
    open_collection(filled)
    titles = [title.value for title in filled.markdown if "·" in title.value]
    assert titles == ["**Their worker died each time** · 2 pictures", "**Cut short** · 1 picture"]
    assert "&lt;b&gt;the worker" in html(filled, "refused")
    press(filled, "worker_died")
    assert filled.toast[0].value == "2 pictures to be looked at again"
    assert (library.collection(resources, COLLECTION).pending, refusals.counts(resources, COLLECTION)) == (
        2,
        {"truncated": 1},
    )
    refuse(resources, "vanished", 1)
    press(open_collection(filled), "all")
    assert refusals.counts(resources, COLLECTION) == {}


def test_a_picture_that_was_once_decoded_is_shown_among_the_refused(filled, resources):
    refuse(resources, "worker_died", 1)
    assert html(open_collection(filled), "refused").count("<img") == 1  # the broken one never was


def test_one_reason_needs_no_button_for_all(filled):
    labels = [button.label for button in open_collection(filled).button]
    assert labels.count("Try these again") == 1
    assert "Try all again" not in labels


@pytest.fixture
def long_lived(monkeypatch) -> None:
    """A worker that was heard of once is alive for the length of a test."""
    monkeypatch.setattr(workers, "ALIVE_S", 600.0)


def test_while_pictures_wait_the_page_says_who_works_and_where_the_time_goes(filled, resources, long_lived):
    stage_s = {"network": 0.06, "decode": 0.03, "store": 0.01}
    with resources.catalog.begin() as session:
        session.execute(update(Image).where(Image.id == 1).values(status=ImageStatus.PENDING))
        workers.announce(session, "attic:1:x", "cuda:0", "dinov2_vits14")
        facts = {"images_per_s": 10.0, "images_done": 1234, "stage_s": stage_s, "batch_at": db_now()}
        session.execute(update(Worker).values(host="at<tic", **facts))
    told = html(open_collection(filled), "work")
    assert "Looking at pictures: 4 of 5" in told
    assert "10.0 pictures/s · about 1 s left" in told
    assert "the network <b>60%</b>" in told
    assert "To go faster: a GPU" in told
    for word in ("at&lt;tic", "cuda:0 · dinov2_vits14", "10.0/s", "1,234 done"):
        assert word in told
    assert not filled.warning


def test_pictures_that_wait_for_nobody_say_so_and_what_to_do(filled, resources, long_lived):
    with resources.catalog.begin() as session:
        waits = {"status": ImageStatus.PENDING, "created_at": db_now() - 50_000}
        session.execute(update(Image).where(Image.id == 1).values(**waits))
        session.execute(update(Collection).values(worked_at=db_now() - 12_100))
    assert "**No worker is alive:**" in open_collection(filled).warning[0].value
    with resources.catalog.begin() as session:
        workers.announce(session, "w", "cpu")
        session.execute(update(Worker).values(started_at=db_now() - 500))
    told = filled.run().warning[0].value
    assert "Work waits and nobody has claimed any for 12,1" in told
    assert "`dinoseek doctor`" in told


def html(page: AppTest, name: str) -> str:
    """What we drew as HTML with this class."""
    return "".join(part.proto.body for part in page.get("html") if f'class="{name}"' in part.proto.body)


def test_a_change_of_model_is_seen_with_its_counts_and_what_holds_it_up(filled, resources, encoders):
    switching.begin(resources, COLLECTION, encoders, "untrained_vits14")
    filled.query_params["collection"] = COLLECTION
    filled.switch_page(LIBRARY).run()
    assert not filled.exception
    (bar,) = filled.get("progress")
    assert bar.proto.text.startswith(r"Changing to untrained\_vits14, squash224-v2: 0 of 4")
    with resources.catalog.begin() as session:
        session.execute(update(Reembedding).values(status=ImageStatus.FAILED))
    filled.run()
    assert "4 pictures can't be embedded with it" in filled.warning[0].value
    switching.cancel(resources, COLLECTION)
    filled.run()
    assert not filled.get("progress")


def test_a_collection_is_put_away_and_comes_back_whole(filled, resources):
    filled.query_params["collection"] = COLLECTION
    filled.switch_page(LIBRARY).run()
    next(button for button in filled.button if button.label == "Delete collection").click().run()
    assert library.collections(resources) == []
    assert library.restore_collection(resources, COLLECTION).ready == 4


def test_only_folders_under_the_allowed_roots_are_read(resources, tmp_path):
    (tmp_path / "photos").mkdir()
    settings = resources.settings.model_copy(update={"allowed_roots": [tmp_path / "photos"]})
    (tmp_path / "photos" / "way out").symlink_to(tmp_path)
    for text in (str(tmp_path), f"{tmp_path}/photos/..", f"{tmp_path}/photos/way out", "/etc"):
        with pytest.raises(failures.AppError, match="outside the folders"):
            folders.allowed(settings, text)
    with pytest.raises(failures.AppError, match="no folder"):
        folders.allowed(settings, f"{tmp_path}/photos/nowhere")
    assert folders.allowed(settings, f" {tmp_path}/photos ") == tmp_path / "photos"
