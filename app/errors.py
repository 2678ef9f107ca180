"""Everything dinoseek refuses, as one tree. A message is one line: the value, the rule, the way out.

AppError                       a clear refusal; the command line prints it and exits with 1
├── InvalidInput               the caller's value breaks a rule (a box, a name, a number)
├── NotFound                   no such collection, image, model or file
├── AlreadyExists              the name is taken
├── UnreadableImage            the bytes are no picture, or one past a limit
├── BadVector                  a vector that is not finite, not unit length, or of another dimension
├── DamagedSnapshot            an index file that is not what was published
├── WeightsUnavailable         a model's weights are not here and can't be fetched
├── BadCheckpoint              a weights file that is not this model's
└── ServiceUnavailable         database, broker, home folder or port can't be used
"""


class AppError(Exception):
    """A clear refusal: one line with the value, the rule and the way out."""


class InvalidInput(AppError):
    """The caller's value breaks a rule."""


class NotFound(AppError):
    """There is no such thing by that name or id."""


class AlreadyExists(AppError):
    """The name is taken."""


class UnreadableImage(AppError):
    """The bytes are no picture, or one past a limit. `code` is the short word stored beside the reason."""

    def __init__(self, message: str, code: str = "unreadable") -> None:
        super().__init__(message, code)
        self.code = code

    def __str__(self) -> str:
        return self.args[0]


class BadVector(AppError):
    """A vector that is not finite, not of unit length, or of another dimension."""


class DamagedSnapshot(AppError):
    """An index file that is not what was published."""


class WeightsUnavailable(AppError):
    """The weights of a model are not here and can't be fetched."""


class BadCheckpoint(AppError):
    """A weights file that is not this model's."""


class ServiceUnavailable(AppError):
    """Database, broker, home folder or port can't be used."""
