"""Hunts: painted pictures in which one thing hides among its look-alikes, and questions that ask for it."""

from app.samples.hunt.generate import generate
from app.samples.hunt.truth import FILE_NAME, Find, Hunt, Question, load

__all__ = ["FILE_NAME", "Find", "Hunt", "Question", "generate", "load"]
