"""Sample pictures for trying things out: painted by code, with the truth about what they show."""

from app.samples.generate import generate
from app.samples.truth import FILE_NAME, PictureTruth, Sighting, Truth, load

__all__ = ["FILE_NAME", "PictureTruth", "Sighting", "Truth", "generate", "load"]
