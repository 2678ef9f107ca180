"""`dinoseek eval folders --instances`: what each step of an instance search adds."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from app.bases import basis_of
from app.cli.output import print_json, print_table, progress_bar, say_caveat
from app.encoders import Encoders
from app.evaluation.album import Album, Tools, embed
from app.evaluation.folders import Exam
from app.evaluation.ranking import queries_of
from app.evaluation.stages import StageScore, measure
from app.patches import get_detail
from app.settings import Settings
from app.vision.decoder import Decoder
from app.vision.preprocessing import DETAILED

STEPS = 5


@dataclass(frozen=True)
class Choice:
    """As the options have it."""

    model: str | None
    preprocessing: str | None
    precision: str | None
    detail: str


def step_by_step(exam: Exam, settings: Settings, choice: Choice, apart: Sequence[str], as_json: bool) -> None:
    encoders, detail = Encoders(settings), get_detail(choice.detail)
    plain = encoders.named(choice.model, None, choice.precision)
    encoder = encoders.named(choice.model, choice.preprocessing or DETAILED, choice.precision)
    with Decoder(settings) as decoder, progress_bar("pictures") as bar:
        task = bar.add_task("embedding", total=len(exam), rate="")
        tools = Tools(decoder, plain, encoder, basis_of(encoder), detail)
        album = embed(exam, tools, lambda done: bar.update(task, completed=done))
        queries = len(queries_of([entry.name for entry in album.entries]))
        asking = bar.add_task("comparing", total=STEPS * queries, rate="")
        stages = measure(album, apart, lambda done: bar.advance(asking, done))
    answer(album, stages, encoder.key.model, as_json)


def answer(album: Album, stages: Sequence[StageScore], model: str, as_json: bool) -> None:
    if as_json:
        unreadable = [asdict(refused) for refused in album.unreadable]
        print_json({"model": model, "stages": [asdict(stage) for stage in stages], "unreadable": unreadable})
        return
    kinds = list(stages[0].map_apart)
    rows = [
        (
            stage.stage,
            f"{stage.map:.4f}",
            *(f"{stage.map_apart[kind]:.4f}" for kind in kinds),
            f"{stage.recall_at_1:.4f}",
            f"{stage.embed_ms:.0f}",
            f"{stage.search_ms:.0f}",
            f"{stage.bytes_per_image:,}",
        )
        for stage in stages
    ]
    print_table(("stage", "mAP", *kinds, "recall@1", "ms to embed", "ms to search", "bytes an image"), rows)
    say_caveat(model)
