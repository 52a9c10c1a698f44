"""Settings that are words: booleans, choices and texts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, final

from minicolumn.errors import nearest
from minicolumn.registry.setting import LONGEST_TEXT, SHOWN, Setting


@final
@dataclass(frozen=True, kw_only=True)
class Boolean(Setting):
    """True or False.

    >>> Boolean(help="").read("true"), Boolean(help="").write(False)
    (True, 'false')
    """

    kind = "boolean"

    @property
    def wanted(self) -> str:
        return "a boolean, true or false"

    def plain(self, value: Any) -> Any:
        if getattr(getattr(value, "dtype", None), "kind", "") == "b" and not value.ndim:
            return bool(value)  # NumPy's own
        return value if isinstance(value, bool) else NotImplemented

    def quick(self) -> Callable[[Any], bool]:
        return lambda value: type(value) is bool

    def parsed(self, text: str) -> Any:
        return {"true": True, "false": False}.get(text.lower(), text)

    def written(self, value: Any) -> str:
        return str(value).lower()


@final
@dataclass(frozen=True, kw_only=True)
class Choice(Setting):
    """One of a few words.

    >>> Choice(help="", choices=("cosine", "linear")).wanted
    'one of cosine, linear'
    """

    choices: tuple[str, ...]

    kind = "choice"

    @property
    def wanted(self) -> str:
        return f"one of {', '.join(self.choices)}"

    def plain(self, value: Any) -> Any:
        return value if isinstance(value, str) and value in self.choices else NotImplemented

    def quick(self) -> Callable[[Any], bool]:
        choices = frozenset(self.choices)
        return lambda value: type(value) is str and value in choices

    def nearest(self, value: Any) -> str | None:
        return nearest(value[:SHOWN], self.choices) if isinstance(value, str) else None

    @property
    def control(self) -> dict[str, Any]:
        return super().control | {"choices": list(self.choices)}


@final
@dataclass(frozen=True, kw_only=True)
class Text(Setting):
    """A text, of at most ``longest`` letters."""

    longest: int = LONGEST_TEXT

    kind = "text"

    @property
    def wanted(self) -> str:
        return f"a text of 1 to {self.longest:,} letters"

    def plain(self, value: Any) -> Any:
        return str(value) if isinstance(value, str) and 0 < len(value) <= self.longest else NotImplemented

    def quick(self) -> Callable[[Any], bool]:
        longest = self.longest
        return lambda value: type(value) is str and 0 < len(value) <= longest
