"""`dinoseek embed`: vectors of pictures, into a NumPy file."""

import io
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from app.cli.output import JsonFlag, print_json, progress_bar, say
from app.encoders import Encoders
from app.errors import InvalidInput, NotFound
from app.settings import get_settings
from app.storage import write_atomic
from app.vision.decoder import Decoder

BATCH = 32

embed_command = typer.Typer(pretty_exceptions_enable=False)


@embed_command.command()
def embed(
    images: Annotated[list[Path], typer.Argument(help="Picture files.")],
    out: Annotated[Path, typer.Option(help="Where the float32 array (N, D) goes; ends in .npy.")],
    model: Annotated[str | None, typer.Option(help="The encoder; see `dinoseek models list`.")] = None,
    preprocessing: Annotated[str | None, typer.Option(help="How pictures become squares; see docs/models.md.")] = None,
    precision: Annotated[str | None, typer.Option(help="float32, int8, bfloat16 or float16.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Write one unit vector per picture, in the order given. One that can't be read stops it: rows must line up."""
    _check(images, out)
    settings = get_settings()
    encoder = Encoders(settings).named(model, preprocessing, precision)
    with Decoder(settings) as decoder, progress_bar("pictures") as bar:
        futures = [decoder.submit(path, preprocessing=encoder.key.preprocessing) for path in images]
        vectors = np.empty((len(images), encoder.key.dim), np.float32)
        task = bar.add_task("embedding", total=len(images), rate="")
        for start in range(0, len(images), BATCH):
            pixels = [future.result().pixels for future in futures[start : start + BATCH]]
            vectors[start : start + BATCH] = encoder.embed(pixels)
            bar.advance(task, len(pixels))
    _save(out, vectors)
    if as_json:
        print_json(
            {
                "model": encoder.key.model,
                "preprocessing": encoder.key.preprocessing,
                "precision": encoder.key.precision,
                "trained": encoder.key.trained,
                "out": str(out.absolute()),
                "shape": vectors.shape,
            }
        )
        return
    say(f"{out}: {len(vectors)} vectors of {encoder.key.dim} numbers by {encoder.key.model}")


def _check(images: list[Path], out: Path) -> None:
    if out.suffix != ".npy":
        raise InvalidInput(f"--out {out}: the file's name must end in .npy")
    for path in images:
        if not path.is_file():
            raise NotFound(f"{path} is no file: give paths of pictures")


def _save(out: Path, vectors: np.ndarray) -> None:
    buffer = io.BytesIO()
    np.save(buffer, vectors)
    try:
        write_atomic(out, buffer.getvalue())
    except OSError as error:
        raise InvalidInput(f"--out {out} can't be written ({error.strerror}): choose another place") from None
