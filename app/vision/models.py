"""Which model is meant, whether its weights are here, and what makes two vectors comparable. Imports no torch."""

from dataclasses import dataclass
from pathlib import Path

from app.errors import WeightsUnavailable
from app.settings import AUTO_MODEL
from app.vision.architectures import BEST, FALLBACK, Architecture, Caveat, find_architecture, get_architecture
from app.vision.locations import find_in

BUNDLED = Path(__file__).with_name("bundled")


@dataclass(frozen=True)
class ModelKey:
    """Vectors may be compared only when all of this is equal."""

    model: str
    weights_sha256: str  # of the weights file; of the tensors' bytes where they are made from a seed
    preprocessing: str
    precision: str
    dim: int
    trained: bool
    detail: str = "off"  # what is kept of a picture's places beside its vector, a name in app/patches


def find_weights(architecture: Architecture, weights_dir: Path) -> Path | None:
    """This model's weights: in the package, or under any of the names publishers give them.

    None for weights that are not here, and for those made from a seed.
    """
    if architecture.bundled:
        return BUNDLED / architecture.bundled
    return find_in(Path(weights_dir), architecture) if architecture.file_name else None


def find_basis(architecture: Architecture) -> Path | None:
    """What places of pictures are described in, for a model that brings it along."""
    path = BUNDLED / f"{architecture.name}.basis"
    return path if path.is_file() else None


def caveat(model: str) -> Caveat | None:
    """What answers of this model must say of themselves. None for a model without, or one not known here any more."""
    row = find_architecture(model)
    return row.caveat if row else None


def weights_state(architecture: Architecture, weights_dir: Path) -> str:
    """`ready`, `missing`, or `bundled` for a model that needs no file."""
    if architecture.file_name is None:
        return "bundled"
    return "ready" if find_weights(architecture, weights_dir) else "missing"


def resolve_model(name: str, weights_dir: Path) -> Architecture:
    """The row to embed with; `auto` takes the best whose weights are here, else the bundled one.

    Raises NotFound for an unknown name, WeightsUnavailable for a known one without its file.
    """
    if name == AUTO_MODEL:
        best = get_architecture(BEST)
        return best if find_weights(best, weights_dir) else get_architecture(FALLBACK)
    architecture = get_architecture(name)
    if weights_state(architecture, weights_dir) == "missing":
        raise WeightsUnavailable(
            f"{architecture.name} has no weights in {weights_dir}: run `dinoseek models pull {architecture.name}`, "
            f"or put {architecture.file_name} there"
        )
    return architecture
