"""The examples: one large, with the box on it; all of them as a row of small ones."""

from dataclasses import replace

from app import library
from app.api.face import Face
from app.search.examples import MOST, Example
from app.ui import parts
from app.ui.instances.going import go
from app.ui.instances.question import Question

TIP = "Drag a box around the thing: what lies in it is looked for."
DRAW = "Box the thing"


def picture_of(face: Face, example: Example) -> dict:
    """An example as the page draws it."""
    if example.digest:
        src = face.query(example.digest)
        return {"src": src, "thumb": src, "picture": src, "name": "", "box": example.box}
    facts, large = library.picture(face.resources, example.image_id), face.large(example.image_id)
    return {
        "src": large,
        "thumb": face.thumbnail(facts.digest),
        "picture": large,
        "name": facts.name,
        "box": example.box,
    }


def picker(face: Face, question: Question) -> None:
    """A picture that is dropped begins anew."""
    example = question.in_hand if question.examples else None
    parts.picker(
        "picker",
        **_sending(face),
        picture=example and picture_of(face, example),
        box=example and example.box,
        tip=TIP,
        draw=DRAW,
        on_asked=lambda digest: go(question.of(Example(digest=digest))),
        on_boxed=lambda box: go(question.boxed(box)),
        on_cleared=lambda: go(question.of()),
    )


def show(face: Face, question: Question) -> None:
    """A picture that is chosen here is one more example."""
    examples = [picture_of(face, example) | {"wanted": example.wanted} for example in question.examples]
    parts.examples(
        "examples",
        examples,
        **_sending(face),
        hand=question.hand,
        full=len(examples) >= MOST,
        on_chosen=lambda place: go(replace(question, hand=place)),
        on_swapped=lambda place: go(question.swapped(place)),
        on_removed=lambda place: go(question.without(place)),
        on_added=lambda digest: go(question.adding(Example(digest=digest))),
    )


def _sending(face: Face) -> dict:
    return {
        "url": "/api/queries",
        "ticket": face.links.ticket("queries"),
        "max_bytes": face.resources.settings.upload_max_bytes,
    }
