"""Figures as a person reads them: scores, sizes, dates, durations."""

from datetime import datetime

from app.upkeep import ON_CLUSTER, IndexFacts
from app.vision.calibrations import find_calibration

# (cosine from, word), the first that fits, for models without a calibration: DINOv2's. Re-encoded and resized copies
# lie above 0.96, other shots of one thing mostly above 0.8, the same kind of scene above 0.55.
SCORE_WORDS = ((0.96, "copy"), (0.80, "very close"), (0.55, "similar"), (-1.01, "distant"))

BYTE_UNITS = ("bytes", "kB", "MB", "GB", "TB")
TIME_UNITS = ((3600, "h"), (60, "min"), (1, "s"))

MARKUP = str.maketrans({character: f"\\{character}" for character in r"\`*_{}[]<>#~$|:!"})
MARKUP_BUT_CODE = {character: shown for character, shown in MARKUP.items() if chr(character) != "`"}  # of our own words


def plain(text: str) -> str:
    """Text that came from a file, a name or an address, so that Streamlit's Markdown shows it as it is."""
    return text.translate(MARKUP)


def instances(kept: str) -> str:
    """What a collection keeps of its pictures' places."""
    return {"off": "not kept: whole pictures are compared"}.get(kept, f"kept ({kept}): one thing can be looked for")


def index(facts: IndexFacts) -> str:
    """Recipe, measured recall, size, and what is searched beside it."""
    if facts.state == ON_CLUSTER:
        return "on the Milvus cluster"
    if facts.snapshot is None:
        return "none yet: the rows are scanned"
    built = facts.snapshot
    recall = f"finds {built['recall_at_10']:.1%} of the true ten nearest"
    beside = f"{facts.tail:,} newer beside it" if facts.tail else ""
    return joined(f"{built['recipe']}, {count(built['vectors'])}", recall, size(built["bytes"]), beside)


def score_word(score: float, model: str, trained: bool) -> str:
    """As the model's calibration has it. Empty for an untrained network: its scores order pictures, no more."""
    if not trained:
        return ""
    measured = find_calibration(model)
    if measured is not None:
        return measured.word(score)
    return next(word for least, word in SCORE_WORDS if score >= least)


def score_share(score: float) -> float:
    """How much of a bar to fill, 0…1."""
    return round(min(1.0, max(0.0, score)), 4)


def size(count: int) -> str:
    value, unit = float(count), 0
    while value >= 1000 and unit < len(BYTE_UNITS) - 1:
        value, unit = value / 1024, unit + 1
    return f"{value:.0f} {BYTE_UNITS[unit]}" if unit < 2 or value >= 10 else f"{value:.1f} {BYTE_UNITS[unit]}"


def day(when: datetime | None) -> str:
    return f"{when.day} {when:%b %Y}" if when else ""


def moment(when: datetime | None) -> str:
    return f"{day(when)}, {when:%H:%M}" if when else ""


def dimensions(width_px: int | None, height_px: int | None) -> str:
    return f"{width_px} × {height_px}" if width_px and height_px else ""


def duration(seconds: float) -> str:
    """The largest unit and the next: `2 h 5 min`, `40 s`."""
    left, parts = max(1, round(seconds)), []
    for length, unit in TIME_UNITS:
        count, left = divmod(left, length)
        if count:
            parts.append(f"{count} {unit}")
    return " ".join(parts[:2])


def count(number: int, noun: str = "picture") -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def joined(*parts: str) -> str:
    return " · ".join(part for part in parts if part)
