"""Model zoo: small pretrained networks, each with the recipe that rebuilds it and scores that can be checked.

    entries()               what there is
    load("penguins")        a `Model`, preprocessing included
    add("school", address)  a zoo of someone else, whose entries are then "school:NAME"; remove, zoos
    train(entry, folder)    rebuilt from its recipe, to the bit on the same kind of machine
    verify(entry, folder)   its scores, computed again

Differs     zoos of pickles run code when they are opened; most leave the preprocessing out, and few say how a
            network came to be
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minicolumn.zoo.catalogue import Zoo
from minicolumn.zoo.entry import Entry
from minicolumn.zoo.known import AddedZoo, add, remove, zoos
from minicolumn.zoo.lookup import entries, load, opened

if TYPE_CHECKING:
    from minicolumn.zoo.rebuild import train
    from minicolumn.zoo.verification import Verdict, verify

_LATER = {"Verdict": "verification", "train": "rebuild", "verify": "verification"}  # they load what trains


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name in _LATER:
        return getattr(import_module(f"minicolumn.zoo.{_LATER[name]}"), name)
    raise AttributeError(f"module 'minicolumn.zoo' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)


__all__ = [
    "AddedZoo",
    "Entry",
    "Verdict",
    "Zoo",
    "add",
    "entries",
    "load",
    "opened",
    "remove",
    "train",
    "verify",
    "zoos",
]
