"""The errors minicolumn raises on purpose: what was found, what was expected, what to do."""

from __future__ import annotations

import difflib
import sys
import warnings
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any


class MinicolumnError(Exception):
    """The base of every error that minicolumn raises on purpose."""


class ShapeError(MinicolumnError, ValueError):
    """Shapes, dtypes or lengths do not fit together."""


class TraceError(MinicolumnError, TypeError):
    """A NumPy call or a Python construct cannot be traced."""


class DataError(MinicolumnError, ValueError):
    """A table, a target or an option cannot be used as it stands.

    reason      which refusal it is, and values: what its message speaks of, by name; for who says it in other
                words or another language. Empty where the message is all there is
    """

    reason: str = ""
    values: Mapping[str, Any] = MappingProxyType({})

    def __init__(self, *args: Any, reason: str = "", **values: Any) -> None:
        super().__init__(*args)
        if reason:
            self.reason, self.values = reason, values


class DataWarning(UserWarning):
    """Rows can be used, but are unlike those of the training, or were read in a way that should be known."""


class ModelFileError(MinicolumnError, ValueError):
    """A model file is damaged, was tampered with, or is something else."""


class DivergenceError(MinicolumnError, ArithmeticError):
    """Training left the finite numbers; `run` holds the last good weights, where `fit` raised it.

    step, epoch     in which it was found out, from 1
    quantity        what is no finite number any more: "the loss", "a weight" or "a prediction"
    cause           the likeliest: "learning_rate", "regularizer", "X", "y" or "loss"
    learning_rate   of the step, by optimizer, schedule and callbacks
    layer           path of the layer whose gradient is largest beside its weights, at the last good weights;
                    None where there is no telling
    suggestion      what to try, as keywords of `Trainer.change`; empty where no setting would help
    """

    run: Any = None
    step: int = 0
    epoch: int = 0
    quantity: str = ""
    cause: str = ""
    learning_rate: float = float("nan")
    layer: str | None = None
    suggestion: dict[str, Any]

    def __init__(self, *args: Any, **fields: Any) -> None:
        super().__init__(*args)
        self.suggestion = {}
        self.__dict__.update(fields)


class ShadowError(MinicolumnError, AssertionError):
    """Native code and the reference disagree: a fault of the lowering, not of its user.

    operation   whose results differ
    where       the line that it was written in, if known
    iterations       of the loops that it is in, outermost first, counted from 0; empty outside of loops
    place       the element that is furthest off, beside its `native` and `reference` values and the `bound`
    """

    operation: str = ""
    where: str | None = None
    iterations: tuple[int, ...] = ()
    place: tuple[int, ...] = ()
    native: Any = None
    reference: Any = None
    bound: float = 0.0


def warn_user(message: str, category: type[Warning] = UserWarning) -> None:
    """Warn at the user's line: the first on the stack that is neither this package's nor scikit-learn's.

    Python shows a warning once for each line that it points at, so one that pointed at a line of ours would
    be shown for the first of a user's calls alone, and tell nothing of where it came from.
    """
    frame, level = sys._getframe(1), 2
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] in _INNER:
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)


# Packages whose frames lie between a user's call and a warning of ours: joblib's in a cross-validation,
# contextlib's around a decorated method.
_INNER = ("minicolumn", "sklearn", "joblib", "contextlib")


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return ``"; did you mean 'x'?"`` for the nearest known word, or an empty string.

    >>> did_you_mean("specis", ["species", "island"])
    "; did you mean 'species'?"
    """
    near = nearest(word, known)
    return f"; did you mean {near!r}?" if near is not None else ""


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Return the known word that is nearest, whatever its case; None where none is near.

    >>> nearest("Specis", ["species", "island"])
    'species'
    """
    folded = {name.casefold(): name for name in known}
    near = difflib.get_close_matches(word.casefold(), list(folded), n=1, cutoff=0.6)
    return folded[near[0]] if near else None


def first_line(error: BaseException, most: int = 300) -> str:
    """Return the first line of an error's message, to be put into another; its type's name where it has none.

    >>> first_line(OSError("no route\\nto host"))
    'no route'
    >>> first_line(TimeoutError())
    'TimeoutError'
    """
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0][:most]


def one_line(error: BaseException, most: int = 300) -> str:
    """Return all of an error's message on one printable line, to be put into another.

    >>> one_line(ValueError("two\\n  lines")), one_line(ValueError("a\\0b")), one_line(KeyError())
    ('two lines', 'a\\\\x00b', 'KeyError')
    """
    text = " ".join(str(error).split()) or type(error).__name__
    return (text if text.isprintable() else ascii(text)[1:-1])[:most]


def reason(error: BaseException) -> str:
    """Return what the system said of an error, without its number and the path; of others the message.

    >>> reason(FileNotFoundError(2, "No such file or directory", "a.csv")), reason(ValueError("no"))
    ('No such file or directory', 'no')
    """
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return text or type(error).__name__
