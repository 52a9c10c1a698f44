"""Content addressing of a module's functions: which of them other programs may use as they are, by what name.

    name(f) = digest(target, text of f with each callee's name by content in place of its own)

A Merkle tree over calls, so functions of one name are the same code, whatever programs they were written for.
Kernels recur from program to program: a network of another depth needs a tenth of new code.

Source      Merkle 1987, "A digital signature based on a conventional encryption function"
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from minicolumn.lower.llvm.codegen.emit import Module
from minicolumn.lower.llvm.runtime.cache import key_of

# A text of fewer characters is compiled as fast as a second module is begun.
WORTHWHILE = 1 << 15
CONTENT_NAME = re.compile(r"f\.[0-9a-f]{32}")
_NAME = re.compile(r"@([\w.]+)")
_DEFINITION = re.compile(r"\Adefine (?:internal )?")


@dataclass(frozen=True, eq=False)
class DividedModule:
    """A module as a program's own part, and functions that any program may share.

    own         globals and functions that refer to this module alone; they call the others by name
    functions   the other functions by name, callees before their callers
    declared    declarations, by name, of what no function of the module defines
    """

    own: tuple[str, ...]
    functions: Mapping[str, str]
    declared: Mapping[str, str]

    @cached_property
    def needed(self) -> tuple[str, ...]:
        """Return the shared functions that the program's own part calls."""
        return self.called_by(self.own)

    @cached_property
    def all_needed(self) -> tuple[str, ...]:
        """Return these, and those that they call, and so on: callees first."""
        found, left = set(self.needed), list(self.needed)
        while left:
            new = set(self.called_by([self.functions[left.pop()]])) - found
            found |= new
            left += new
        return tuple(name for name in self.functions if name in found)

    @property
    def own_text(self) -> str:
        """Return the text of the program's own part, in which shared functions are declared."""
        return self._text(self.own, ())

    def text_of(self, names: Collection[str]) -> str:
        """Return the text of some shared functions, to be called from elsewhere; others are declared."""
        return self._text([_exported(self.functions[name]) for name in names], names)

    def called_by(self, texts: Iterable[str]) -> tuple[str, ...]:
        """Return the shared functions that some texts call, also by way of what is inlined in them."""
        called = self._references(texts)
        return tuple(n for n, text in self.functions.items() if n in called and not _is_inlined(text))

    def _references(self, texts: Iterable[str]) -> set[str]:
        found: set[str] = set()
        left = list(texts)
        while left:
            new = set(_NAME.findall(left.pop())) - found
            found |= new
            left += [t for name in new if (t := self.functions.get(name)) and _is_inlined(t)]
        return found

    def _text(self, texts: Collection[str], defined: Collection[str]) -> str:
        named = self._references(texts)
        here = {n: text for n, text in self.functions.items() if n in named and n not in defined}
        inlined = [text for text in here.values() if _is_inlined(text)]
        elsewhere = [_declaration(text) for text in here.values() if not _is_inlined(text)]
        outside = [text for name, text in sorted(self.declared.items()) if name in named]
        return "\n".join((*texts, *inlined, *elsewhere, *outside, ""))


def divided(module: Module, own: Collection[str], salt: str) -> DividedModule | None:
    """Return a finished module in two parts; None where there is too little to share.

    Shared are functions that refer to nothing of their module but such functions.

    own         names of functions that are the program's own in any case
    salt        what else shapes the code, such as the processor that it is for
    """
    names: dict[str, str | None] = {}  # by content; None of what is the program's own
    functions: dict[str, str] = {}

    def name_of(name: str) -> str | None:
        if name not in names:
            text = module.functions[name]
            others = [n for n in _NAME.findall(text) if n != name]
            called = [n for n in others if n in module.functions]
            closed = [name_of(n) is not None for n in called]  # all of them: each gets its name
            names[name] = None
            if name not in own and all(closed) and not any(n in module.globals for n in others):
                nameless = _renamed(text, {**names, name: "f"})
                found = names[name] = f"f.{key_of(salt, nameless)[:32]}"
                functions[found] = _renamed(text, names)
        return names[name]

    rest = [text for name, text in module.functions.items() if name_of(name) is None]
    if sum(map(len, functions.values())) < WORTHWHILE:
        return None
    declared = {_NAME.findall(text)[0]: text for text in module.declared.values()}
    outside = {name: text for name, text in declared.items() if name not in module.functions}
    return DividedModule(
        (*module.globals.values(), *(_renamed(text, names) for text in rest)), functions, outside
    )


def _renamed(text: str, names: Mapping[str, str | None]) -> str:
    """Return a text with other names for some functions; those without one keep their own."""
    return _NAME.sub(lambda found: f"@{names.get(found[1]) or found[1]}", text)


def _is_inlined(text: str) -> bool:
    return " alwaysinline" in text[: text.index("{\n")]


def _exported(text: str) -> str:
    """Return the text of a function as one that can be called from elsewhere."""
    return _DEFINITION.sub("define ", text)


def _declaration(text: str) -> str:
    """Return the declaration of a function."""
    return _DEFINITION.sub("declare ", text[: text.index(" {\n")])
