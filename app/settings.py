"""Every knob, typed, read once from the environment (`DINOSEEK_*`) or `.env`."""

import functools
import ipaddress
from pathlib import Path
from urllib.parse import urlsplit

import platformdirs
from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from app.errors import InvalidInput

AUTO_MODEL = "auto"  # the best model whose weights are here


class Settings(BaseSettings):
    """Units are in the names; every default says why."""

    model_config = SettingsConfigDict(env_prefix="DINOSEEK_", env_file=".env", extra="ignore")

    home: Path = Field(default_factory=lambda: Path(platformdirs.user_data_dir("dinoseek", appauthor=False)))
    database_url: SecretStr | None = None  # none: SQLite in home
    broker_url: SecretStr | None = None  # none: embedded, workers poll the catalogue
    vector_url: SecretStr | None = None  # none: FAISS files in home; it may carry a password
    storage_url: SecretStr | None = None  # none: the home alone; s3://BUCKET/PREFIX or file:///FOLDER for many hosts
    weights_dir: Path | None = None  # none: home/weights
    model: str = AUTO_MODEL
    device: str = "auto"  # cpu, cuda, cuda:1, mps
    preprocessing: str | None = None  # of new collections; none: as the model has it, app/vision/architectures.py
    precision: str = "float32"  # of new collections; int8 is faster on a processor, bfloat16 on a GPU

    max_pixels: int = 64_000_000  # decoding refuses larger pictures before loading them
    max_file_bytes: int = 512 * 2**20  # a file larger than this is no photo we can decode within the child's memory
    decode_memory_bytes: int = 2**30  # address space a decode child may grow by; a bomb dies alone
    decode_cpu_s: float = 8.0  # processor time per picture; 64 megapixels take 1 to 6, only lossless JPEG 2000 more
    decode_timeout_s: float = 9.0  # wall clock per picture once its bytes are here; past it, it is tried again
    read_timeout_s: float = 60.0  # wall clock for those bytes: a disk of 10 MB/s brings the largest file in time
    decode_processes: int = 2  # children that decode ahead of the network; as many again while some hang
    thumbnail_px: int = 512  # long side; sharp on a 2x screen at grid size

    batch_images: int | None = None  # claimed together; none: 32, or as many more as a GPU takes at once
    lease_s: float = 60.0  # over four times the slowest batch; renewed by heartbeat every five seconds
    max_attempts: int = 3  # then the picture is set aside with its reason
    poll_s: float = 0.5  # embedded workers look at the catalogue this often; half a per cent of a core
    sweep_s: float = 20.0  # how often work whose message was lost is sent again

    archive_max_members: int = 200_000  # their table of contents is held in memory
    archive_max_unpacked_bytes: int = 256 * 2**30  # of one archive; the largest exports come in parts of 50 GB
    archive_max_ratio: float = 200.0  # unpacked / packed; what unfolds further, and is large, is made to harm
    remote_timeout_s: float = 30.0  # for each answer of a server that pictures are read from
    remote_reads: int = 8  # objects read from a server at a time; each may be held in memory
    away_retry_s: float = 60.0  # pictures of a disk or server that is away are tried again after this
    watch_quiet_s: float = 2.0  # `--watch` takes a file when it has not changed for so long
    watch_full_pass_s: float = 300.0  # and reads everything again this often: notices of changes can be lost

    index_recall: float = Field(0.97, gt=0, le=1)  # of the true ten nearest, that a snapshot must find to be published
    index_memory_bytes: int = 4 * 2**30  # packed vectors of one snapshot; smaller codes are chosen where they don't fit

    upload_max_bytes: int = 50 * 2**20  # per file through the browser; bulk goes by folder
    allowed_roots: list[Path] = Field(default_factory=lambda: [Path.home()])  # folders the browser may ingest from
    host: str = "127.0.0.1"
    port: int = 8501
    allowed_hosts: list[str] = []  # further names the page answers to, as behind a proxy; others are rebound domains

    @field_validator("broker_url")
    @classmethod
    def _locked(cls, broker: SecretStr | None) -> SecretStr | None:
        """Whoever reaches an open Redis can call tasks and read paths."""
        address = urlsplit(broker.get_secret_value()) if broker else None
        if address and address.hostname and not address.password and not _is_loopback(address.hostname):
            raise ValueError(
                f"Redis on another machine ({address.hostname}) must ask for a password: "
                "set requirepass there, and redis://:PASSWORD@HOST:PORT/0 here"
            )
        return broker

    @property
    def database(self) -> str:
        """SQLAlchemy URL, with its password: never print it."""
        if self.database_url is not None:
            return self.database_url.get_secret_value()
        return f"sqlite:///{self.home / 'dinoseek.db'}"

    @property
    def broker(self) -> str | None:
        return self.broker_url.get_secret_value() if self.broker_url else None

    @property
    def cluster(self) -> str | None:
        """Address of the vector cluster, with its password: never print it."""
        return self.vector_url.get_secret_value() if self.vector_url else None

    @property
    def store(self) -> str | None:
        """Address of the store that hosts share: where it carries a password it is refused, and never printed."""
        return self.storage_url.get_secret_value() if self.storage_url else None

    @property
    def weights(self) -> Path:
        return self.weights_dir or self.home / "weights"


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@functools.cache
def get_settings() -> Settings:
    """The process's settings. Raises InvalidInput naming the variable that can't be read."""
    try:
        return Settings()
    except ValidationError as refusal:
        first = refusal.errors()[0]
        name = "DINOSEEK_" + "_".join(map(str, first["loc"])).upper()
        why = first["msg"].removeprefix("Value error, ")
        raise InvalidInput(f"{name}={first.get('input')!r}: {why}; correct or unset it") from None
    except SettingsError as refusal:
        raise InvalidInput(f"{refusal}: a list is written as JSON, like '[\"/photos\"]'; correct or unset it") from None
