"""Sessions of the playground: which rooms there are, and what a session says of itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from typing import Any

from minicolumn.playground.room import Room, Session
from minicolumn.playground.uploads import MOST_BYTES, PART_BYTES

# Each room's module and class, in the order in which a course meets them; imported when first spoken to.
ROOMS: dict[str, tuple[str, str]] = {
    "circuit": ("minicolumn.playground.rooms.circuit", "CircuitRoom"),
    "perceptron": ("minicolumn.playground.rooms.perceptron", "PerceptronRoom"),
    "network": ("minicolumn.playground.network.room", "NetworkRoom"),
    "backpropagation": ("minicolumn.playground.rooms.backpropagation", "BackpropagationRoom"),
    "tape": ("minicolumn.playground.rooms.tape", "TapeRoom"),
    "softmax": ("minicolumn.playground.rooms.softmax", "SoftmaxRoom"),
    "activations": ("minicolumn.playground.rooms.activations", "ActivationsRoom"),
    "descent": ("minicolumn.playground.rooms.descent", "DescentRoom"),
    "overfitting": ("minicolumn.playground.rooms.overfitting", "OverfittingRoom"),
    "topology": ("minicolumn.playground.rooms.topology", "TopologyRoom"),
    "digits": ("minicolumn.playground.rooms.digits", "DigitsRoom"),
}


def make_session(opening: Iterable[Mapping[str, Any]] = ()) -> Session:
    """Return a fresh session of all rooms.

    opening     messages that are done when the page says `opening`: a table or a model to begin with

    >>> make_session().receive({"do": "hello"})[0].kind
    'hello'
    """
    from minicolumn import __version__

    rooms = {name: _maker(*where) for name, where in ROOMS.items()}
    limits = {"part": PART_BYTES, "upload": MOST_BYTES}
    return Session(rooms, {"version": __version__, "limits": limits}, tuple(opening))


def _maker(module: str, kind: str) -> Callable[[], Room]:
    return lambda: getattr(import_module(module), kind)()
