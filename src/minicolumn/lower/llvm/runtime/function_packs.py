"""Functions compiled once a process: programs with equal kernels share their machine code, also on disk.

    program = own part + functions by content             see `codegen.content_addressed`
    own part -> an object of its own                      a few milliseconds
    functions that are loaded nowhere -> one object, a pack; the others are linked to where they lie

A pack lives as long as a program that uses it. On disk it is an entry of its own, and programs name the packs
they need; without one of them a program is compiled again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from weakref import WeakValueDictionary

from minicolumn.lower.llvm.codegen.content_addressed import CONTENT_NAME, DividedModule
from minicolumn.lower.llvm.runtime.cache import ObjectCache, key_of
from minicolumn.lower.llvm.runtime.jit import CodeError, Loaded, Target, compile_object, versions
from minicolumn.lower.turns import Turns

Links = dict[str, list[str]]  # names of functions, by the key of the pack that they lie in
_DEEPEST = 16  # packs that call packs that call packs ...


@dataclass(frozen=True, eq=False)
class Pack:
    """Functions in memory.

    key         under which it is kept on disk
    addresses   of its functions, by name
    packs       those whose functions these call
    """

    key: str
    loaded: Loaded
    addresses: Mapping[str, int]
    packs: tuple[Pack, ...]


class Packs:
    """The packs that are loaded in this process, found by key and by the functions in them."""

    def __init__(self) -> None:
        self._by_key: WeakValueDictionary[str, Pack] = WeakValueDictionary()
        self._by_function: WeakValueDictionary[str, Pack] = WeakValueDictionary()
        self._turns = Turns()

    def loaded(
        self, module: DividedModule, names: Sequence[str], target: Target, cache: ObjectCache
    ) -> tuple[bytes, Loaded, Links]:
        """Return a program's own object, loaded to run with its shared functions; these are made if need be.

        names       the functions of the own part that are asked for
        """
        with self._turns.of("compile"):  # LLVM has one lock; whoever waits finds what another thread made
            held = {name: pack for name in module.all_needed if (pack := self._by_function.get(name))}
            missing = [name for name in module.all_needed if name not in held]
            if missing:
                made = self._compiled(module, missing, held, target, cache)
                held |= dict.fromkeys(missing, made)
        code = compile_object(module.own_text, target)
        needed = {name: held[name] for name in module.needed}
        return code, _linked(code, names, needed), _links(needed)

    def _compiled(
        self,
        module: DividedModule,
        missing: Sequence[str],
        held: Mapping[str, Pack],
        target: Target,
        cache: ObjectCache,
    ) -> Pack:
        text = module.text_of(missing)
        key = key_of("functions", text, target.identity, versions())
        code = compile_object(text, target)
        called = module.called_by([module.functions[name] for name in missing])
        needed = {name: held[name] for name in called if name in held}
        cache.put(key, {"functions": list(missing), "links": _links(needed)}, code)
        return self._kept(key, code, missing, needed)

    def _kept(self, key: str, code: bytes, functions: Sequence[str], needed: Mapping[str, Pack]) -> Pack:
        loaded = _linked(code, functions, needed)
        addresses = {name: loaded.address(name) for name in functions}
        pack = Pack(key, loaded, addresses, tuple(dict.fromkeys(needed.values())))
        self._by_key[key] = pack
        for name in functions:
            self._by_function.setdefault(name, pack)
        return pack

    def linked(self, code: bytes, names: Sequence[str], links: Links, cache: ObjectCache) -> Loaded:
        """Return a program's own object, loaded to run with functions of packs that are loaded or on disk.

        Errors      CodeError where one of them is not there, or does not fit
        """
        return _linked(code, names, self._found(links, cache, 0))

    def _found(self, links: Links, cache: ObjectCache, depth: int) -> dict[str, Pack]:
        """Return the packs that functions lie in, by the functions' names."""
        found: dict[str, Pack] = {}
        for key, names in links.items():
            pack = self._by_key.get(key) or self._read(key, cache, depth)
            if any(name not in pack.addresses for name in names):
                raise CodeError("a pack of functions lacks some of them")
            found |= dict.fromkeys(names, pack)
        return found

    def _read(self, key: str, cache: ObjectCache, depth: int) -> Pack:
        entry = cache.get(key)
        if entry is None or depth > _DEEPEST:
            raise CodeError("a pack of functions is not there")
        header, code = entry
        functions: Any = header.get("functions")
        if not are_names(functions) or not are_links(header.get("links")):
            raise CodeError("a pack of functions has no such header")
        with self._turns.of("compile"):
            return self._by_key.get(key) or self._kept(
                key, code, functions, self._found(header["links"], cache, depth + 1)
            )


def are_names(value: Any) -> bool:
    """Return whether a value of JSON is a list of names of functions by content."""
    return type(value) is list and all(type(n) is str and CONTENT_NAME.fullmatch(n) for n in value)


def are_links(value: Any) -> bool:
    """Return whether a value of JSON is an object of functions' names by keys of packs."""
    if type(value) is not dict or not all(map(are_names, value.values())):
        return False
    return all(len(key) == 64 and not set(key) - set("0123456789abcdef") for key in value)


def _links(needed: Mapping[str, Pack]) -> Links:
    found: Links = {}
    for name, pack in needed.items():
        found.setdefault(pack.key, []).append(name)
    return found


def _linked(code: bytes, names: Sequence[str], needed: Mapping[str, Pack]) -> Loaded:
    addresses = {name: pack.addresses[name] for name, pack in needed.items()}
    return Loaded(code, names, addresses, keeps=tuple(dict.fromkeys(needed.values())))


PACKS = Packs()
