"""Where a model's weights lie: under which names, and which file of a folder is meant. Imports no torch."""

from collections.abc import Iterator
from pathlib import Path

from app.errors import BadCheckpoint, NotFound
from app.vision.architectures import Architecture

# What transformers writes into a model's folder, the safest first; an index names the parts of a large one
FOLDER_FILES = (
    "model.safetensors",
    "model.safetensors.index.json",
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
)


def find_in(folder: Path, architecture: Architecture) -> Path | None:
    """This model's weights below a folder of several models, the official file first."""
    for name in _names(architecture):
        place = Path(folder) / name
        found = place if place.is_file() else find_in_model_folder(place)
        if found is not None:
            return found
    return None


def find_in_model_folder(folder: Path) -> Path | None:
    """The weights of a Hugging Face folder, or of an entry of its download cache."""
    for inner in (folder, *_snapshots(folder)):
        found = next((inner / name for name in FOLDER_FILES if (inner / name).is_file()), None)
        if found is not None:
            return found
    return None


def get_file(path: Path, architecture: Architecture | None = None) -> Path:
    """The weights file that a file or folder means. Raises NotFound, BadCheckpoint for a folder without one."""
    if path.is_file():
        return path
    if not path.is_dir():
        raise NotFound(f"{path} is not there: give a weights file or a folder that holds one")
    found = find_in_model_folder(path) or (find_in(path, architecture) if architecture else None)
    if found is None:
        raise BadCheckpoint(f"{path} holds no weights: expected one of {', '.join(FOLDER_FILES)} in it")
    return found


def short_name(path: Path) -> str:
    """As a sentence names it; every Hugging Face file is called the same, and its folder tells which."""
    return f"{path.parent.name}/{path.name}" if path.name in FOLDER_FILES else path.name


def _names(row: Architecture) -> Iterator[str]:
    """Below the weights folder, files or folders; the first that is there counts."""
    if row.file_name:
        yield from (row.file_name, str(Path(row.file_name).with_suffix(".safetensors")))
    if row.hugging_face:
        yield from (row.hugging_face.rsplit("/", 1)[-1], row.hugging_face)
        yield "models--" + row.hugging_face.replace("/", "--")
    if row.mmpretrain_file_name:
        yield row.mmpretrain_file_name


def _snapshots(folder: Path) -> list[Path]:
    """Of a download cache: what its branch `main` means, then the others."""
    main = folder / "refs" / "main"
    chosen = [folder / "snapshots" / main.read_text().strip()] if main.is_file() else []
    return [*chosen, *sorted(folder.glob("snapshots/*"))]
