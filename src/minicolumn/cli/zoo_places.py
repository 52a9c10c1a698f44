"""The work of `minicolumn zoo` on zoos: adding and removing them, writing an index, publishing a model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from minicolumn.cli.screen import print_json, working
from minicolumn.cli.zoo import ZooOptions
from minicolumn.errors import DataError

if TYPE_CHECKING:
    from rich.console import Console

    from minicolumn.zoo.known import AddedZoo


def add_zoo(options: ZooOptions, console: Console) -> int:
    """Add a zoo, and say what it is pinned by."""
    from minicolumn.zoo.known import add, zoos_file

    assert options.name is not None
    if options.address is None:
        raise DataError("zoo add: say the name it gets, and where it lies: zoo add school https://...")
    with working(console, f"Reading {options.address}"):
        added = add(options.name, options.address, options.sha256)
        names = added.open().names
    pinned = f"pinned by sha256 {added.sha256}" if added.sha256 else "taken as it is, without an index"
    _say(console, f"added {added.name}: {len(names)} networks at {added.address}, {pinned}")
    _say(console, f"listed in {zoos_file()}")
    if options.as_json:
        print_json({**_as_json(added), "entries": [f"{added.name}:{name}" for name in names]})
    return 0


def remove_zoo(options: ZooOptions, console: Console) -> int:
    """Forget a zoo."""
    from minicolumn.zoo.known import remove

    assert options.name is not None
    removed = remove(options.name)
    _say(console, f"removed {removed.name}, which is at {removed.address}")
    if options.as_json:
        print_json(_as_json(removed))
    return 0


def list_zoos(options: ZooOptions, console: Console) -> int:
    """List the zoos that were added."""
    from minicolumn.zoo.known import zoos, zoos_file

    found = zoos()
    for each in found:
        _say(console, f"{each.name:<20} {each.address}  {each.sha256 or 'not pinned'}")
    if not found:
        _say(console, f"none was added; they would be listed in {zoos_file()}")
    if options.as_json:
        print_json({"zoos": [_as_json(each) for each in found]})
    return 0


def write_index(options: ZooOptions, console: Console) -> int:
    """Write the index of a folder, once every file has been checked, and say how others add the zoo."""
    from minicolumn.model.artifact import artifact_from_bytes
    from minicolumn.model.files import read_whole, write_atomically
    from minicolumn.zoo import Zoo
    from minicolumn.zoo.entry import MOST_BYTES
    from minicolumn.zoo.index import INDEX, index_to_json, sha256

    if options.zoo is None:
        raise DataError("zoo index: say the folder: zoo index --zoo FOLDER")
    folder = Path(options.zoo)
    zoo, files = Zoo(folder), {}
    for name in zoo.names:
        model = zoo.file(name)
        artifact_from_bytes(model, f"{name}.safetensors")
        files[name] = bytes(read_whole(folder / f"{name}.toml", MOST_BYTES)), model
    if not files:
        raise DataError(f"zoo index: {str(folder)!r} holds no recipes (NAME.toml beside NAME.safetensors)")
    data = index_to_json(files)
    write_atomically(folder / INDEX, [data])
    _say(console, f"wrote {folder / INDEX}: {len(files)} networks")
    _say(console, f"minicolumn zoo add NAME https://.../ --sha256 {sha256(data)}")
    if options.as_json:
        print_json({"index": str(folder / INDEX), "sha256": sha256(data), "entries": sorted(files)})
    return 0


def push_model(options: ZooOptions, console: Console) -> int:
    """Publish a model file, or a network of a zoo, on the hub."""
    from minicolumn.model.hub.address import is_hub
    from minicolumn.model.hub.upload import push
    from minicolumn.zoo.lookup import located

    assert options.name is not None
    if options.address is None or not is_hub(options.address):
        raise DataError(f"zoo push: say where to: minicolumn zoo push {options.name} hf://OWNER/NAME")
    with working(console, f"Publishing {options.name}"):
        done = push(located(options.name), options.address, license=options.license, private=options.private)
    _say(console, f"published as {done.address}")
    _say(console, done.page)
    if options.as_json:
        print_json({"address": str(done.address), "commit": done.address.revision, "page": done.page})
    return 0


def _as_json(zoo: AddedZoo) -> dict[str, str]:
    return {"name": zoo.name, "address": zoo.address, "sha256": zoo.sha256}


def _say(console: Console, words: str) -> None:
    console.print(words, markup=False, highlight=False, soft_wrap=True)
