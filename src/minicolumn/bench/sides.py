"""What takes part in a measurement: one library's way to do one piece of work."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable
from dataclasses import dataclass

# Display name, and the distribution and module that it comes from.
PEERS = {"JAX": "jax", "PyTorch": "torch", "scikit-learn": "sklearn", "ONNX Runtime": "onnxruntime"}


@dataclass(frozen=True)
class Side:
    """A piece of work as one library does it.

    call    does ``units`` units of the work, such as training steps, and returns when they are done
    note    what is different here, or how it was set up
    warm    calls before the first one that is timed
    """

    name: str
    call: Callable[[], object]
    units: int = 1
    note: str = ""
    warm: int = 1


def installed(peer: str) -> bool:
    """Return whether a peer can be imported; it is not imported yet."""
    return importlib.util.find_spec(PEERS[peer]) is not None


def absent() -> list[str]:
    """Return the peers that cannot be imported here."""
    return [peer for peer in PEERS if not installed(peer)]
