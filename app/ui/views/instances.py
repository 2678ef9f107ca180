"""Instances: a box around a thing in, the pictures that show that very thing out, and where in them."""

from dataclasses import replace

import streamlit as st

from app import library
from app.api import face as faces
from app.api.face import Face
from app.library import CollectionFacts
from app.search.examples import Example
from app.search.shortlist import LONGEST
from app.ui import caveats, failures, filters, narrowing, starters, words
from app.ui.instances import hits, offering, strip
from app.ui.instances.going import go
from app.ui.instances.question import Question, from_address


def choose_collection(question: Question, collections: list[CollectionFacts]) -> None:
    narrowing.choose_collection(question.collection, collections, lambda name: go(question.within(name)))


def narrow(face: Face, question: Question, collections: list[CollectionFacts]) -> None:
    with st.container(key="narrowing"):
        choose_collection(question, collections)
        narrowing.how_many(question.k, lambda k: go(replace(question, k=k)), most=LONGEST)
        facets = library.facets(face.resources, question.collection)
        filters.popover(facets, question.filters, lambda chosen: go(replace(question, filters=chosen)))
    st.session_state["expand"] = question.expand
    st.toggle(
        "Look on from the best hits",
        key="expand",
        help="The surest hits become examples too: finds more of a thing seen from several sides, and takes longer.",
        on_change=lambda: go(replace(question, expand=st.session_state["expand"])),
    )


def show_hits(face: Face, question: Question) -> None:
    if not question.wanted:
        st.info("All examples say what is not meant: turn one of them to +.", icon=":material/exposure_plus_1:")
        return
    options = {"k": question.k, "filters": question.filters, "expand": question.expand}
    with st.spinner("Looking for it…"):
        page = face.instances.find(question.collection, question.examples, **options)
    sure = sum(bool(hit.supported) for hit in page.hits)
    agree = f"Places agree in {sure:,} of {words.count(len(page.hits))}"
    st.caption(words.joined(agree, f"{page.took_ms['total']:.0f} ms", page.model))
    if page.hits:
        hits.show(face, question, page)
    elif question.filters:
        st.info("Nothing fits these filters: take one away.", icon=":material/filter_alt_off:")
    else:
        st.info("There is no other picture to look through: add some in the Library.", icon=":material/image:")


def begin(face: Face, question: Question, collections: list[CollectionFacts], facts: CollectionFacts) -> None:
    """Nothing is asked yet."""
    with st.container(key="hero"):
        choose_collection(question, collections)
        if facts.instances == "off":
            offering.show(face, facts)
            return
        st.caption("Choose a picture, draw a box around a thing in it, and see the pictures that show that very thing.")
        strip.picker(face, question)
    starters.show(face, facts, question.lead, lambda image_id: go(question.of(Example(image_id=image_id))))


face = faces.current()
collections = library.collections(face.resources)
if not collections:
    starters.no_collection(offering.TITLE, f"{offering.WHAT} First make a collection to look in.")
    st.stop()
question = from_address(st.query_params.to_dict())
facts = narrowing.chosen(question.collection, collections)
question = replace(question, collection=facts.name)
caveats.banner(facts.model)

if facts.instances == "off" or not question.examples:
    begin(face, question, collections, facts)
    st.stop()

side, results = st.columns([1, 3], gap="medium")
with side, st.container(key="side"):
    strip.picker(face, question)
    strip.show(face, question)
    narrow(face, question, collections)
with results, failures.plainly():
    show_hits(face, question)
