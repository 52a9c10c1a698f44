"""Nodes of a program while it is traced: their scopes, and the constants that they hold.

NumPy's arrays can be changed in place after an operation has used them, and derivatives need what they held
then. So a trace has copies of them; of large ones, where nothing but values is computed, it checks that they
stay as they were.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from minicolumn.errors import TraceError
from minicolumn.ir.graph import CONST, Node
from minicolumn.ir.op import Op
from minicolumn.ir.shapes import DTYPES, Type, shared_type

if TYPE_CHECKING:
    from minicolumn.ir.arrays import Attrs, Operand

# Arrays of more bytes are not copied; reading all of them takes about as long as the operation itself.
LARGE = 1 << 20
# The sum of an array's words, and some of them.
Seal: TypeAlias = "tuple[int, bytes]"
_WORD, _SAMPLES = np.dtype(np.uint64), 4096
KNOWN = frozenset(DTYPES.values())
# What a constant of a dtype that graphs do not have is held as; every value of it fits.
_HELD_AS = {
    np.dtype(np.float16): np.dtype(np.float32),
    np.dtype(np.int8): np.dtype(np.int32),
    np.dtype(np.int16): np.dtype(np.int32),
    np.dtype(np.uint8): np.dtype(np.int32),
    np.dtype(np.uint16): np.dtype(np.int32),
}


class Scope:
    """One call of a transformation. While it is open, what depends on its variables must stay traced."""

    __slots__ = ("_seals", "closed")

    def __init__(self) -> None:
        self.closed = False
        self._seals: dict[int, tuple[np.ndarray, Seal]] = {}

    def __enter__(self) -> Scope:
        return self

    def __exit__(self, *_: object) -> None:
        self.closed = True

    def seal(self, array: np.ndarray) -> None:
        """Note what an array holds that the derivatives of this scope will need."""
        if id(array) not in self._seals:
            self._seals[id(array)] = array, _seal(array)

    def check_seals(self) -> None:
        """Raise TraceError if one of these arrays was changed since."""
        for array, seal in self._seals.values():
            if _seal(array) != seal:
                raise TraceError(
                    f"an array of shape {list(array.shape)} was changed in place, as by z += 1, after the "
                    "function had used it, and its derivative needs what it held; write z = z + 1, or change "
                    "a copy"
                )


Scopes = frozenset[Scope]
NO_SCOPES: Scopes = frozenset()


class LiveNode(Node):
    """A node while it is being traced: with its value, if known, and the scopes it depends on.

    ``weak`` marks what came from a Python number, which takes the dtype of what it meets, as in NumPy.
    """

    __slots__ = ("scopes", "value", "weak")

    def __init__(
        self,
        op: Op,
        inputs: Sequence[Node],
        attrs: Attrs,
        type: Type,
        value: np.ndarray | None,
        scopes: Scopes,
        where: str | None = None,
        weak: bool = False,
    ) -> None:
        # Every traced operation makes one; to call Node's own __init__ would take half as long again.
        self.op = op
        self.inputs = tuple(inputs)
        self.attrs: dict[str, Any] = attrs  # type: ignore[assignment]
        self.type = type
        self.where = where
        self.value = value
        self.scopes = scopes
        self.weak = weak

    @property
    def is_live(self) -> bool:
        """Return whether a scope that this value depends on is still open."""
        for scope in self.scopes:  # noqa: SIM110 - a generator would cost more than the loop
            if not scope.closed:
                return True
        return False


def joined(nodes: Sequence[LiveNode]) -> Scopes:
    """Return the scopes that any of the nodes depends on."""
    scopes = NO_SCOPES
    for node in nodes:
        if node.scopes is not scopes and node.scopes:
            scopes = scopes | node.scopes if scopes else node.scopes
    return scopes


def constant_node(array: np.ndarray) -> LiveNode:
    """Return the node of a constant."""
    return LiveNode(CONST, (), {"value": array}, shared_type(array.dtype, array.shape), array, NO_SCOPES)


def holdable(value: Operand) -> np.ndarray:
    """Return a constant as an array of a dtype that graphs have."""
    array = np.asarray(value)
    if array.dtype in KNOWN:
        return array
    if array.dtype in _HELD_AS:
        return array.astype(_HELD_AS[array.dtype])
    raise TraceError(
        f"arrays of dtype {array.dtype} do not exist in graphs; convert to one of "
        f"{', '.join(str(d) for d in DTYPES.values())} first, with .astype(...)"
    )


def owned(value: Operand) -> np.ndarray:
    """Return a constant as the program will see it: a copy, if its owner could still write to it."""
    array = holdable(value)
    flags = array.flags
    if flags.writeable or not flags.owndata:
        array = array.copy()
        array.setflags(write=False)
    return array


def kept(value: np.ndarray, scopes: Iterable[Scope]) -> np.ndarray:
    """Return what an operation used as it is now: a copy, or if it is large the array, sealed."""
    array = holdable(value)
    if array is not value or not (array.flags.writeable or not array.flags.owndata):
        return array
    if array.nbytes <= LARGE or not (array.flags.c_contiguous or array.flags.f_contiguous):
        return array.copy()
    for scope in scopes:
        if not scope.closed:
            scope.seal(array)
    return array


def _seal(array: np.ndarray) -> Seal:
    """Return what changes with the contents, surely or nearly so, of a contiguous array of many words."""
    flat = array.ravel("K").view(np.uint8)
    words = flat[: flat.size // _WORD.itemsize * _WORD.itemsize].view(_WORD)
    total = int(np.add.reduce(words)) + int(np.add.reduce(flat[words.nbytes :]))
    return total, words[:: max(1, words.size // _SAMPLES)].tobytes()
