"""The variants of DINOv2 as one table. Sizes, addresses and digests: see the columns; nothing here computes."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from app.errors import NotFound

PATCH_PX = 14
GRID = 37  # trained positions per side: 518 / 14
HEAD_DIM = 64


class Caveat(NamedTuple):
    """What every answer of a model says of itself, before the command that fetches a better one."""

    what: str
    limit: str


DETAIL_BLOCKS = {12: (7, 8, 9), 24: (15, 16, 17), 40: (26, 27, 28)}  # by depth


@dataclass(frozen=True)
class Architecture:
    """One row: the shape of a network, its names, and where its weights are published."""

    name: str
    aliases: tuple[str, ...]
    dim: int
    depth: int
    registers: int = 0
    ffn: str = "mlp"  # or "swiglu"
    hugging_face: str | None = None
    mmpretrain: str | None = None
    # How trained positions are resampled away from 518 x 518. Without registers Meta's code asks for a
    # scale of (cells + 0.1) / 37; with registers for the exact size, antialiased.
    position_offset: float = 0.1
    position_antialias: bool = False
    file: str | None = None  # below the official address; none: bundled, or made from a seed
    sha256: str = ""
    size_bytes: int | None = None  # none: not published
    hugging_face_sha256: str = ""  # of its model.safetensors; empty: not published
    hugging_face_bytes: int | None = None
    mmpretrain_sha256: str = ""  # the first digits, which stand in the file's name
    trained: bool = True
    bundled: str | None = None  # its weights' name in the package's folder of that name; none: they come from elsewhere
    whitened: bool = False  # a last map lets directions count more in which pictures rarely differ
    caveat: Caveat | None = None
    preprocessing: str = "squash224-v2"  # of new collections, where the settings name no other
    # Blocks whose patch tokens tell one place of a picture from another, counted from 0: around two thirds of the way
    # up, where tokens know what they show and still where (AnyLoc, arXiv 2308.00688).
    detail_blocks: tuple[int, ...] = ()

    @property
    def heads(self) -> int:
        return self.dim // HEAD_DIM

    @property
    def ffn_dim(self) -> int:
        """Width inside the feed-forward: 4 dim, or two thirds of it rounded up to 8 for SwiGLU."""
        return 4 * self.dim if self.ffn == "mlp" else (int(4 * self.dim * 2 / 3) + 7) // 8 * 8

    @property
    def file_name(self) -> str | None:
        return self.file.rsplit("/", 1)[-1] if self.file else None

    @property
    def mmpretrain_file_name(self) -> str | None:
        return f"{self.mmpretrain}_20230426-{self.mmpretrain_sha256}.pth" if self.mmpretrain else None

    @property
    def other_names(self) -> tuple[str, ...]:
        """Every further name `get_architecture` takes."""
        return tuple(name for name in (*self.aliases, self.hugging_face, self.mmpretrain) if name)


def _official(size: str, word: str, dim: int, depth: int, sha256: str, **row) -> Architecture:
    base, reg = f"dinov2_vit{size}14", row.get("registers", 0)
    if reg:
        row |= {"position_offset": 0.0, "position_antialias": True}
    return Architecture(
        name=base + ("_reg" if reg else ""),
        aliases=(f"vit{size}14" + ("_reg" if reg else ""),),
        dim=dim,
        depth=depth,
        detail_blocks=DETAIL_BLOCKS[depth],
        hugging_face=f"facebook/dinov2-{'with-registers-' if reg else ''}{word}",
        mmpretrain=None if reg else f"vit-{word}-p14_dinov2-pre_3rdparty",
        file=f"{base}/{base}{'_reg4' if reg else ''}_pretrain.pth",
        sha256=sha256,
        **row,
    )


# fmt: off
# SHA-256 and bytes of the official file, then of the Hugging Face file, then what mmpretrain says of its own. The
# bytes of the Hugging Face files with registers follow from their tensors' names and shapes, as all the others' do.
ARCHITECTURES: tuple[Architecture, ...] = (
    _official("s", "small",  384, 12, "b938bf1bc15cd2ec0feacfe3a1bb553fe8ea9ca46a7e1d8d00217f29aef60cd9",
              size_bytes=88_283_115,
              hugging_face_sha256="ae1e99fcefd534ed978cdeb8326f08030c96e28b7a81ffcbc98a857c84d14be1",
              hugging_face_bytes=88_249_960, mmpretrain_sha256="5641ca5a"),
    _official("b", "base",   768, 12, "0b8b82f85de91b424aded121c7e1dcc2b7bc6d0adeea651bf73a13307fad8c73",
              size_bytes=346_378_731,
              hugging_face_sha256="d73036b56966966d07975d696bde331762f37297e2f095de8cea0040c3aa0841",
              hugging_face_bytes=346_345_912, mmpretrain_sha256="ba246503"),
    _official("l", "large", 1024, 24, "d5383ea8f4877b2472eb973e0fd72d557c7da5d3611bd527ceeb1d7162cbf428",
              size_bytes=1_217_586_395,
              hugging_face_sha256="399fba97a95f22c36834418bc69373364a99af3a1153da1c0fb31db567c92e23",
              hugging_face_bytes=1_217_522_888, mmpretrain_sha256="f3302d9e"),
    _official("g", "giant", 1536, 40, "baf8467e50af277596bbbafa06887c177ee899ab46033649c383577d7e9309d3",
              size_bytes=4_546_108_579, ffn="swiglu",
              hugging_face_sha256="917d3c470db999d32a312f8542149be91c7cbac61ee8fb4b67ae3d82b79ce21f",
              hugging_face_bytes=4_546_005_432, mmpretrain_sha256="2934a630"),
    _official("s", "small",  384, 12, "f433177089a681826f849f194ece3bb48f4d63fb38d32fc837e3dc7a4e5641fb", registers=4,
              size_bytes=88_291_785, hugging_face_bytes=88_256_200),
    _official("b", "base",   768, 12, "73182a088cf94833c94b1666d1c99e02fe87e2007bff57b564fb6206e25dba71", registers=4,
              size_bytes=346_393_545, hugging_face_bytes=346_358_296),
    _official("l", "large", 1024, 24, "36e4deffbaef061a2576705b0c36f93621e2ae20bf6274694821b0b492551b51", registers=4,
              size_bytes=1_217_607_321, hugging_face_bytes=1_217_539_376),
    _official("g", "giant", 1536, 40, "746ecb8c6301c645c5c855be91687d274587d6e48fdaec4a729753160b34a283", registers=4,
              ffn="swiglu",
              hugging_face_sha256="c03832d44691e99b62ae28c4dfa2f134853a3614b3756c94f525109cce5a5051",
              hugging_face_bytes=4_546_030_112),
    Architecture(name="dinoseek_tiny14", aliases=("tiny14",), dim=192, depth=6,
                 bundled="dinoseek_tiny14.safetensors",
                 sha256="4dab5faad6423a1fa62c67fb77e6ae01f4f2869845bf41ff03fdcfa049cce3e1",
                 preprocessing="squash168-v1", whitened=True, detail_blocks=(2, 3, 4),
                 caveat=Caveat("small bundled encoder", "it finds copies, and of other pictures of a thing only some")),
    Architecture(name="untrained_vits14", aliases=("untrained",), dim=384, depth=12, trained=False,
                 detail_blocks=DETAIL_BLOCKS[12],
                 caveat=Caveat("untrained encoder", "it sees colours and layout, not things")),
)
# fmt: on
BEST = "dinov2_vits14"  # what "auto" means when its weights are here
FALLBACK = "dinoseek_tiny14"  # what "auto" means otherwise


def find_architecture(name: str) -> Architecture | None:
    """By name or alias, in any case: official, Hugging Face and mmpretrain names mean the same row."""
    wanted = name.strip().lower()
    return next((row for row in ARCHITECTURES if wanted in _names(row)), None)


def get_architecture(name: str) -> Architecture:
    """Raises NotFound, listing what is known."""
    found = find_architecture(name)
    if found is None:
        known = ", ".join(row.name for row in ARCHITECTURES)
        raise NotFound(f"no model is called {name!r}: choose one of {known}")
    return found


def _names(row: Architecture) -> Iterator[str]:
    return (name.lower() for name in (row.name, *row.other_names))
