"""The cast: every distinct object, and its picture."""

import functools

import PIL.Image

from app.samples import objects_air, objects_desk, objects_home, objects_road, objects_room, objects_sea, objects_table
from app.samples.thing import Thing

CAST: dict[str, Thing] = {
    thing.name: thing
    for family in (objects_air, objects_sea, objects_road, objects_table, objects_desk, objects_home, objects_room)
    for thing in family.THINGS
}


def habitat(name: str) -> list[str]:
    """The names of all that may stand in one habitat, in a fixed order."""
    return [thing.name for thing in CAST.values() if thing.habitat == name]


@functools.cache
def sprite(name: str) -> PIL.Image.Image:
    """The object large, as RGBA; drawn once per process."""
    return CAST[name].draw().sprite()
