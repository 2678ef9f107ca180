"""Search: a picture in, the pictures that look like it out. The address bar holds the whole question."""

from dataclasses import replace

import streamlit as st

from app import library
from app.api import face as faces
from app.api.face import Face
from app.search.query import Page
from app.ui import cards, caveats, filters, narrowing, parts, starters, words
from app.ui.ask import Ask, from_address, to_address


def go(ask: Ask) -> None:
    """Ask this now: the address is the question."""
    st.query_params.from_dict(to_address(ask))


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
        cards.of_page(face, page, ask.lead),
        query=picture,
        click="open",
        on_like=lambda image_id: go(ask.of_image(image_id)),
    )


face = faces.current()
collections = library.collections(face.resources)
if not collections:
    starters.no_collection(
        "Find pictures by looking",
        "Drop a picture, and see the ones that look like it. First make a collection to search in.",
    )
    st.stop()
ask = from_address(st.query_params.to_dict())
facts = narrowing.chosen(ask.collection, collections)
ask = replace(ask, collection=facts.name)
caveats.banner(facts.model)

if not ask.about_something:
    with st.container(key="hero"):
        narrowing.choose_collection(facts.name, collections, lambda name: go(ask.within(name)))
        picker(face, ask, None)
    starters.show(face, facts, ask.lead, lambda image_id: go(ask.of_image(image_id)))
    st.stop()

side, results = st.columns([1, 3], gap="medium")
with side, st.container(key="side"):
    picture = query_picture(face, ask)
    picker(face, ask, picture)
    with st.container(key="narrowing"):
        narrowing.choose_collection(facts.name, collections, lambda name: go(ask.within(name)))
        narrowing.how_many(ask.k, lambda k: go(replace(ask, k=k)))
        filters.popover(
            library.facets(face.resources, facts.name), ask.filters, lambda chosen: go(replace(ask, filters=chosen))
        )
with results:
    show_hits(face, ask, picture)
