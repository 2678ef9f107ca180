"""Search: a picture in, the pictures that look like it out. The address bar holds the whole question."""

from dataclasses import replace

import streamlit as st

from app import library
from app.api import face as faces
from app.api.face import Face
from app.errors import NotFound
from app.library import CollectionFacts
from app.search.query import Page
from app.ui import cards, caveats, filters, parts, words
from app.ui.ask import HITS, Ask, from_address, to_address

STARTERS = 60  # pictures offered to start from


def go(ask: Ask) -> None:
    """Ask this now: the address is the question."""
    st.query_params.from_dict(to_address(ask))


def chosen(ask: Ask, collections: list[CollectionFacts]) -> CollectionFacts:
    """The collection asked; without one, the fullest."""
    if ask.collection is None:
        return max(collections, key=lambda facts: facts.ready)
    found = next((facts for facts in collections if facts.name == ask.collection), None)
    if found is None:
        raise NotFound(f"no collection is called {ask.collection!r}: choose one in the Library")
    return found


def choose_collection(ask: Ask, collections: list[CollectionFacts]) -> None:
    by_name = {facts.name: facts for facts in collections}
    st.session_state["collection"] = ask.collection
    st.selectbox(
        "Collection",
        list(by_name),
        key="collection",
        label_visibility="collapsed",
        format_func=lambda name: words.joined(name, words.count(by_name[name].ready)),
        on_change=lambda: go(ask.within(st.session_state["collection"])),
    )


def query_picture(face: Face, ask: Ask) -> dict | None:
    """The query as the picker and the viewer show it."""
    if ask.digest:
        src = face.query(ask.digest)
        return {"src": src, "thumb": src, "picture": src, "name": ""}
    if ask.image_id is None:
        return None
    facts = library.picture(face.resources, ask.image_id)
    large = face.large(ask.image_id)
    return {"src": large, "thumb": face.thumbnail(facts.digest), "picture": large, "name": facts.name}


def picker(face: Face, ask: Ask, picture: dict | None) -> None:
    parts.picker(
        "picker",
        url="/api/queries",
        ticket=face.links.ticket("queries"),
        max_bytes=face.resources.settings.upload_max_bytes,
        picture=picture,
        box=ask.box,
        on_asked=lambda digest: go(ask.of_digest(digest)),
        on_boxed=lambda box: go(replace(ask, box=box)),
        on_cleared=lambda: go(ask.of_nothing()),
    )


def answer(face: Face, ask: Ask) -> Page:
    options = {"k": ask.k, "box": ask.box, "filters": ask.filters}
    if ask.digest:
        return face.desk.by_digest(ask.collection, ask.digest, **options)
    return face.desk.by_image(ask.collection, ask.image_id, **options)


def how_many(ask: Ask) -> None:
    st.session_state["k"] = ask.k
    choices = sorted({*HITS, ask.k})
    st.selectbox(
        "How many",
        choices,
        key="k",
        label_visibility="collapsed",
        format_func=lambda k: f"Best {k}",
        on_change=lambda: go(replace(ask, k=st.session_state["k"])),
    )


def show_hits(face: Face, ask: Ask, picture: dict) -> None:
    page = answer(face, ask)
    took = page.took_ms
    apart = f"(embed {took['embed']:.0f}, search {took['search']:.0f})"
    st.caption(words.joined(words.count(len(page.hits)), f"{took['total']:.0f} ms {apart}", page.model))
    if not page.hits:
        st.info(
            "Nothing fits these filters. Take one away, or search another collection.", icon=":material/filter_alt_off:"
        )
        return
    parts.gallery(
        "hits",
        cards.of_page(face, page, ask),
        query=picture,
        click="open",
        on_like=lambda image_id: go(ask.of_image(image_id)),
    )


def show_starters(face: Face, ask: Ask, facts: CollectionFacts) -> None:
    """Pictures of the collection to start from; another handful on request."""
    if not facts.ready:
        waiting = f"{words.count(facts.pending)} still being read: they appear here as workers finish."
        st.info(waiting if facts.pending else "This collection is empty.", icon=":material/hourglass_empty:")
        st.page_link("views/library.py", label="Add pictures in the Library", icon=":material/add_photo_alternate:")
        return
    offset = st.session_state.get("starters_from", 0) % facts.ready
    with st.container(key="title", horizontal=True, vertical_alignment="center"):
        st.markdown("### Or start from one of these")
        if facts.ready > STARTERS:
            more = {"starters_from": offset + STARTERS}
            st.button("Show others", icon=":material/shuffle:", on_click=st.session_state.update, args=(more,))
    pictures = library.pictures(face.resources, facts.name, offset, STARTERS)
    parts.gallery(
        "starters",
        cards.of_pictures(face, pictures, ask),
        click="like",
        on_like=lambda image_id: go(ask.of_image(image_id)),
    )


def nothing_yet() -> None:
    with st.container(key="hero"):
        st.markdown("## Find pictures by looking")
        st.markdown("Drop a picture, and see the ones that look like it. First make a collection to search in.")
        if st.button("Make a collection", type="primary", icon=":material/add_photo_alternate:"):
            st.switch_page("views/library.py")
    st.stop()


face = faces.current()
collections = library.collections(face.resources)
if not collections:
    nothing_yet()
ask = from_address(st.query_params.to_dict())
facts = chosen(ask, collections)
ask = replace(ask, collection=facts.name)
caveats.banner(facts.model)

if not ask.about_something:
    with st.container(key="hero"):
        choose_collection(ask, collections)
        picker(face, ask, None)
    show_starters(face, ask, facts)
    st.stop()

side, results = st.columns([1, 3], gap="medium")
with side, st.container(key="side"):
    picture = query_picture(face, ask)
    picker(face, ask, picture)
    with st.container(key="narrowing"):
        choose_collection(ask, collections)
        how_many(ask)
        filters.popover(library.facets(face.resources, facts.name), ask, go)
with results:
    show_hits(face, ask, picture)
