"""Every kind of scene by name, and how often each is painted."""

from app.samples import scenes_city, scenes_coast, scenes_country, scenes_home, scenes_table, scenes_wild
from app.samples.scene import Scene

SCENES: dict[str, Scene] = {
    scene.name: scene
    for module in (scenes_coast, scenes_country, scenes_wild, scenes_city, scenes_table, scenes_home)
    for scene in module.SCENES
}

# One round of the album; still lifes recur because the most things live on tables.
ROUND = (
    *("still-life",) * 4,
    *("sill", "room", "street") * 2,
    *("beach", "headland", "open-sea", "lake", "meadow", "desert", "forest", "winter", "skyline"),
)
