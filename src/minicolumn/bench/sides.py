"""Benchmark participants: one library's implementation of one piece of work, for each library installed.

The peers' code is in with_jax, with_torch, with_sklearn and with_onnx, each imported only where it is run.
"""

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
    """One library's implementation of a piece of work.

    name    begins with the library's
    call    does ``units`` units of the work, such as training steps, and returns when they are done
    note    what is different here, or how it was set up
    warm    calls before the first one that is timed: compilation, caches, choice of threads
    """

    name: str
    call: Callable[[], object]
    units: int = 1
    note: str = ""
    warm: int = 1


def installed(peer: str) -> bool:
    """Return whether a peer's modules can be found; nothing is imported."""
    return all(importlib.util.find_spec(name) is not None for name in _SIDES[peer][1])


def present() -> tuple[str, ...]:
    """Return the peers that are installed here."""
    return tuple(peer for peer in _SIDES if installed(peer))


def missing() -> tuple[str, ...]:
    """Return the modules that some peer needs and that are not installed here."""
    names = (name for _, modules in _SIDES.values() for name in modules)
    return tuple(name for name in names if importlib.util.find_spec(name) is None)


def peer_sides(
    peers: Sequence[str], work: str, *args: Any, more: Mapping[str, Any] | None = None
) -> list[Side]:
    """Return the sides of some peers on a kind of work, "training" or "prediction"; not all do both.

    args    of the peer's function of that name
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
    """Return the training losses, float [steps], of those peers that can start from given weights."""
    modules = {peer: _module(peer) for peer in peers}
    return {peer: m.losses(problem) for peer, m in modules.items() if hasattr(m, "losses")}


def _module(peer: str) -> ModuleType:
    """Import the module of a peer's sides."""
    return importlib.import_module(f"minicolumn.bench.{_SIDES[peer][0]}")
