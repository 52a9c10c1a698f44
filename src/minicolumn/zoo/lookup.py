"""What a name stands for: an entry of the package's zoo or of one that was added, a file, a model of the hub.

penguins, playground/circle     of the zoo in the package
school:digits                   of the zoo that was added as `school`
hf://owner/name@revision        of the Hugging Face Hub
"""

from __future__ import annotations

import os
from pathlib import Path

from minicolumn.errors import DataError, did_you_mean
from minicolumn.model.files import PathLike, shown
from minicolumn.model.hub.address import is_hub
from minicolumn.model.model import Model
from minicolumn.model.model import load as load_file
from minicolumn.zoo.catalogue import Zoo
from minicolumn.zoo.entry import Entry
from minicolumn.zoo.known import added, zoos


def entries(folder: PathLike | None = None) -> tuple[Entry, ...]:
    """Return what a zoo holds.

    folder      of a user's zoo, or the name of one that was added; None is the one in the package

    >>> [entry.title for entry in entries() if entry.name == "xor"]
    ['Exclusive or, by a hidden layer of two']
    """
    return zoo_in(folder).entries


def load(name: str, folder: PathLike | None = None) -> Model:
    """Return a pretrained network by its name: a `Model` that takes raw rows, or arrays.

    name        "penguins"; "school:digits" of a zoo that was added (`mc.zoo.add`); "hf://owner/name@revision"
                of the Hugging Face Hub
    Errors      DataError for an unknown name, with the nearest one, and for a file that is not the recipe's
    Differs     `torchvision.models` download weights; these come with the package, and are checked by sha256

    >>> import minicolumn as mc
    >>> mc.zoo.load("xor").predict([[0.0, 1.0], [1.0, 1.0]]).round().tolist()
    [1.0, 0.0]
    """
    if folder is None and is_hub(name):
        return load_file(name)
    zoo, entry = found(name, folder)
    return zoo.load(entry)


def found(name: str, folder: PathLike | None = None) -> tuple[Zoo, str]:
    """Return the zoo of a name such as "digits" or "school:digits", and the entry's name in it."""
    where, colon, entry = str(name).partition(":")
    if folder is None and colon:
        return added(where).open(), entry
    return zoo_in(folder), str(name)


def zoo_in(folder: PathLike | None) -> Zoo:
    """Return the zoo of a folder, one that was added by its name, or that of the package."""
    if folder is None:
        return Zoo()
    text = os.fsdecode(folder)
    if not os.path.isdir(text) and os.sep not in text and any(each.name == text for each in zoos()):
        return added(text).open()
    return Zoo(Path(shown(folder)))


def opened(name: PathLike) -> Model:
    """Return the model of a file, of the hub, or of a zoo; a file goes before an entry of the same name.

    Errors      DataError or ModelFileError, in one line

    >>> opened("xor").input_shape
    (2,)
    """
    text = os.fsdecode(name)
    if is_hub(text) or os.path.exists(text):
        return load_file(text)
    if text in Zoo().names or _is_of_added(text):
        return load(text)
    _refuse_misspelt(text)
    return load_file(text)


def _refuse_misspelt(name: str) -> None:
    """Refuse what is no file and nearly the name of a network of the package's zoo."""
    hint = "" if name.endswith(".safetensors") else did_you_mean(name, Zoo().names)
    if hint:
        raise DataError(f"cannot open {shown(name)}: there is no such file, nor network of the zoo{hint}")


def located(name: str, bare: bool = True) -> str:
    """Return the path of a model file by its name: that of an entry of a zoo once it is here and checked.

    bare        whether entries of the package's zoo are meant, too, which some data sets are named like
    Returns     what is no entry of a zoo as it is: a path, or a model of the hub
    """
    known = bare and name in Zoo().names
    if is_hub(name) or os.path.exists(name):
        return name
    if not (known or _is_of_added(name)):
        if bare:
            _refuse_misspelt(name)
        return name
    zoo, entry = found(name)
    zoo.file(entry)
    path = zoo.path(entry)
    if not path.exists():
        raise DataError(f"zoo: {name} cannot be kept here; get its file: minicolumn zoo get {name}")
    return str(path)


def _is_of_added(text: str) -> bool:
    where, colon, _ = text.partition(":")
    return bool(colon) and any(each.name == where for each in zoos())
