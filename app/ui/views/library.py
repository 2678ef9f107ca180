"""Library: collections, what is in them, what goes into them, and how far that is."""

from urllib.parse import urlencode

import streamlit as st

from app import library
from app.api import face as faces
from app.api.face import Face
from app.library import CollectionFacts
from app.ui import adding, cards, making, parts, words
from app.ui.ask import Ask, to_address

PER_PAGE = 120
COVERS = 4


def go(collection: str | None = None, page: int = 1) -> None:
    address = {"collection": collection, "page": str(page) if page > 1 else None}
    st.query_params.from_dict({name: value for name, value in address.items() if value})


def search_like(collection: str, image_id: int) -> None:
    """Leave for the search page with this question."""
    st.session_state["leave_for"] = to_address(Ask(collection=collection, image_id=image_id))


def show_shelf(face: Face, collections: list[CollectionFacts]) -> None:
    with st.container(key="title", horizontal=True, vertical_alignment="center"):
        st.markdown("## Collections")
        making.popover(face, on_made=go)
    parts.shelf("shelf", [_card(face, facts) for facts in collections], on_opened=go)


def _card(face: Face, facts: CollectionFacts) -> dict:
    spread = range(0, facts.ready, max(1, facts.ready // COVERS))[:COVERS]  # neighbours in a folder look alike
    covers = [cover for at in spread for cover in library.pictures(face.resources, facts.name, at, 1)]
    state = words.joined(
        words.count(facts.ready),
        f"{facts.pending:,} being read" if facts.pending else "",
        f"{facts.failed:,} refused" if facts.failed else "",
        "changing its model" if facts.change and not facts.change.add_only else "",
    )
    return {
        "name": facts.name,
        "href": f"/library?{urlencode({'collection': facts.name})}",
        "covers": [face.thumbnail(picture.digest) for picture in covers],
        "line": state,
    }


def show_first_steps(face: Face) -> None:
    with st.container(key="hero"):
        st.markdown("## Make your first collection")
        st.markdown(
            "A collection holds pictures and the model that looks at them. Name it, then add pictures or a folder."
        )
        making.form(face, on_made=go)


def show_collection(face: Face, facts: CollectionFacts) -> None:
    with st.container(key="title", horizontal=True, vertical_alignment="center"):
        st.button("", icon=":material/arrow_back:", on_click=go, type="tertiary", help="All collections")
        st.markdown(f"## {words.plain(facts.name)}")
        link = {"label": "Search in it", "icon": ":material/image_search:", "width": "content"}
        st.page_link("views/search.py", query_params={"collection": facts.name}, **link)
        making.settings(face, facts, on_deleted=go)
    adding.panel(face, facts)
    show_pictures(face, facts)


def show_pictures(face: Face, facts: CollectionFacts) -> None:
    if not facts.ready:
        return
    pages = -(-facts.ready // PER_PAGE)
    page = min(_page(), pages)
    pictures = library.pictures(face.resources, facts.name, (page - 1) * PER_PAGE, PER_PAGE)
    tiles = cards.of_pictures(face, pictures, Ask(facts.name).lead)
    parts.gallery("pictures", tiles, click="open", on_like=lambda image_id: search_like(facts.name, image_id))
    if pages > 1:
        show_pager(facts.name, page, pages)


def show_pager(collection: str, page: int, pages: int) -> None:
    with st.container(horizontal=True, horizontal_alignment="center", vertical_alignment="center"):
        st.button(
            "Earlier", icon=":material/chevron_left:", disabled=page == 1, on_click=go, args=(collection, page - 1)
        )
        st.markdown(f"{page} of {pages}", width="content")
        st.button(
            "Later", icon=":material/chevron_right:", disabled=page == pages, on_click=go, args=(collection, page + 1)
        )


def _page() -> int:
    text = st.query_params.get("page", "1")
    return max(1, int(text)) if text.isascii() and text.isdigit() and len(text) < 9 else 1


if "leave_for" in st.session_state:
    st.switch_page("views/search.py", query_params=st.session_state.pop("leave_for"))
face = faces.current()
name = st.query_params.get("collection")
# no st.stop() here: it forgets a click on a part that is followed, made while the page was being drawn
if name:
    show_collection(face, library.collection(face.resources, name))
elif collections := library.collections(face.resources):
    show_shelf(face, collections)
else:
    show_first_steps(face)
