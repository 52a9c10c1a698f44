"""What takes part in a measurement: one library's way to do one piece of work."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

# Where each peer's side is written, and the modules that it needs.
_SIDES = {
    "JAX": ("with_jax", ("jax",)),
    "PyTorch": ("with_torch", ("torch",)),
    "scikit-learn": ("with_sklearn", ("sklearn",)),
    "ONNX Runtime": ("with_onnx", ("onnxruntime", "onnx")),
}
PEERS = {peer: modules[0] for peer, (_, modules) in _SIDES.items()}


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
    return all(importlib.util.find_spec(name) is not None for name in _SIDES[peer][1])


def present() -> tuple[str, ...]:
    """Return the peers that can be imported here."""
    return tuple(peer for peer in _SIDES if installed(peer))


def missing() -> tuple[str, ...]:
    """Return the modules that some peer needs and that are not installed here."""
    names = (name for _, modules in _SIDES.values() for name in modules)
    return tuple(name for name in names if importlib.util.find_spec(name) is None)


def peer_sides(
    peers: Sequence[str], work: str, *args: Any, more: Mapping[str, Any] | None = None
) -> list[Side]:
    """Return the sides of some peers on a kind of work, "training" or "prediction"; not all do both.

    more    further arguments, for those whose function has them
    """
    found = []
    for peer in peers:
        make = getattr(_module(peer), work, None)
        if make is not None:
            wanted = {k: v for k, v in (more or {}).items() if k in make.__code__.co_varnames}
            found += make(*args, **wanted)
    return found


def peer_losses(peers: Sequence[str], problem: Any) -> dict[str, Any]:
    """Return the losses of each step by some peers, those that can start from given weights."""
    modules = {peer: _module(peer) for peer in peers}
    return {peer: m.losses(problem) for peer, m in modules.items() if hasattr(m, "losses")}


def _module(peer: str) -> ModuleType:
    return importlib.import_module(f"minicolumn.bench.{_SIDES[peer][0]}")
