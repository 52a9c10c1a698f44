"""Option parsing: texts of the command line to layer sizes and records.

Each parser takes None for an option that was not given, and raises DataError beginning with the option.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minicolumn.errors import DataError
from minicolumn.nn.activations import activation_by_name
from minicolumn.registry import split_texts
from minicolumn.tabular.limits import MOST_LAYERS, MOST_UNITS


def parse_hidden(text: str | None) -> tuple[int, ...] | None:
    """Parse the units of each hidden layer, first to last.

    Errors      DataError: not integers, more than 64 layers, or units outside 1 to 65,536

    >>> parse_hidden("128,64")
    (128, 64)
    """
    if text is None:
        return None
    words = [word.strip() for word in text.split(",")]
    digits = all(word.isascii() and word.isdigit() and len(word) < 9 for word in words)
    if not digits or len(words) > MOST_LAYERS or not all(1 <= int(word) <= MOST_UNITS for word in words):
        raise DataError(
            f"--hidden: expected units for each hidden layer, such as 128,64, each from 1 to {MOST_UNITS:,}, "
            f"at most {MOST_LAYERS} layers; got {text!r}"
        )
    return tuple(int(word) for word in words)


def check_name(option: str, name: str | None, find: Callable[[str], Any]) -> None:
    """Refuse an unknown name before anything is read.

    find        looks the name up, and raises a DataError with the nearest one
    """
    if name is not None:
        try:
            find(name)
        except DataError as error:
            raise DataError(f"{option}: {error}") from None


def parse_activations(text: str | None, layers: int) -> tuple[str, ...] | None:
    """Parse the activation of each hidden layer, from one for all or one for each.

    layers      how many hidden layers there are
    Errors      DataError for unknown names or settings, or another number of them

    >>> parse_activations("mish", 2), parse_activations("mish,leaky_relu:slope=0.3", 2)
    (('mish', 'mish'), ('mish', 'leaky_relu:slope=0.3'))
    """
    if text is None:
        return None
    names = split_texts(text)
    for name in names:
        check_name("--activation", name, activation_by_name)
    if len(names) not in (1, layers):
        raise DataError(
            f"--activation: {text!r} names {len(names)} for {layers} hidden layers; give one, or one for each"
        )
    return tuple(activation_by_name(name).name for name in names) * (layers // len(names))


def make_named(option: str, text: str | None, make: Callable[[str], Any]) -> Any:
    """Parse a name with settings into its record; None for None.

    make        a function of the text
    Errors      DataError, one line that begins with the option

    >>> from minicolumn.optim import optimizer_by_name
    >>> make_named("--optimizer", "sgd:momentum=0.5", optimizer_by_name).momentum
    0.5
    """
    if text is None:
        return None
    try:
        return make(text)
    except DataError as error:
        raise DataError(f"{option}: {error}") from None
