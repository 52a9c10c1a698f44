"""Formulas of columns, such as x1^2 + sin(x2): a small grammar, parsed by hand and never run as a program.

    sum     = product (("+" | "-") product)*
    product = factor (("*" | "/") factor)*
    factor  = "-" factor | power
    power   = atom (("^" | "**") factor)?                       a^b^c is a^(b^c), and -a^b is -(a^b)
    atom    = number | name | function "(" sum ("," sum)* ")" | "(" sum ")"

A name is a column's, else pi or e; one that is not made of letters, digits and _ stands in backquotes. The
text may come from anyone: its length and its depth are bounded, and it can say nothing but arithmetic.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from minicolumn.errors import DataError, nearest
from minicolumn.nn.activations.sigmoids import logistic
from minicolumn.registry import show

Array = np.ndarray
LONGEST, MOST_DEPTH = 200, 24
LARGEST = 1e38  # of a number: float32 holds it
CONSTANTS = {"pi": math.pi, "e": math.e}
FUNCTIONS: dict[str, Callable[..., Any]] = {
    "sin": np.sin,
    "cos": np.cos,
    "tanh": np.tanh,
    "exp": np.exp,
    "log": np.log,
    "abs": np.absolute,
    "sqrt": np.sqrt,
    "sigmoid": logistic,
    "min": np.minimum,
    "max": np.maximum,
}
OF_SEVERAL = ("min", "max")  # of two or more


@dataclass(frozen=True, slots=True)
class Number:
    """A number as it was written."""

    text: str


@dataclass(frozen=True, slots=True)
class Constant:
    """pi or e."""

    name: str


@dataclass(frozen=True, slots=True)
class Column:
    """A column, by its name."""

    name: str


@dataclass(frozen=True, slots=True)
class Apply:
    """An operator or a function of parts: "+", "-", "*", "/", "^", "negative" or a name of `FUNCTIONS`."""

    what: str
    parts: tuple[Part, ...]


Part = Number | Constant | Column | Apply


@dataclass(frozen=True)
class Formula:
    """A formula that was parsed: a function of columns, and by `str` a text that parses to the same.

    tree        what it is made of
    Complexity  linear in the letters of the text

    >>> formula = parse_formula("X1 * (x2 + 1)")
    >>> str(formula), formula({"x1": np.array([2.0, 3.0]), "x2": np.array([0.0, 1.0])})
    ('x1*(x2+1)', array([2., 6.]))
    """

    tree: Part

    def __call__(self, columns: Mapping[str, Any]) -> Any:
        """Return the value, for columns of one shape, which may be traced; a number where none is used.

        Where a formula is not defined, as log(-1) is not, there is NaN.
        """
        with np.errstate(all="ignore"):
            return _value(self.tree, columns)

    def __str__(self) -> str:
        return _text(self.tree)[0]

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns that it uses, in the order of the text."""
        return tuple(dict.fromkeys(part.name for part in _parts(self.tree) if isinstance(part, Column)))

    @property
    def operations(self) -> int:
        """How many operations it takes."""
        return sum(max(1, len(p.parts) - 1) for p in _parts(self.tree) if isinstance(p, Apply))


def parse_formula(text: str, inputs: Sequence[str] = ("x1", "x2")) -> Formula:
    """Return the formula that a text says.

    text        at most 200 letters
    inputs      the names of columns; where nothing else fits, X1 is understood as x1
    Errors      DataError, one line, that names the place, counted from 1, and the nearest name

    >>> parse_formula("sin(x1) + cso(x2)")
    Traceback (most recent call last):
    minicolumn.errors.DataError: formula: letter 11: there is no function 'cso'; did you mean 'cos'?
    """
    if not isinstance(text, str) or len(text) > LONGEST:
        raise _refusal("long", most=LONGEST, got=show(text))
    formula = Formula(_Parser(text, inputs).parsed())
    if len(str(formula)) > LONGEST:  # a name that is longer than what stood for it
        raise _refusal("longer", most=LONGEST)
    return formula


REFUSALS = {
    "long": "expected a text of at most {most} letters, got {got}",
    "longer": "written out it has more than {most} letters",
    "operator": "letter {letter}: expected an operator, got {got}",
    "deep": "letter {letter}: the formula is nested deeper than {most}",
    "large": "letter {letter}: {number} is larger than {most}",
    "atom": "letter {letter}: expected a number, a name or a parenthesis, got {got}",
    "function": "letter {letter}: {name} is a function, as in {name}(...)",
    "column": "letter {letter}: there is no column {name}{hint}",
    "call": "letter {letter}: there is no function {name}{hint}",
    "times": "letter {letter}: there is no function {quoted}; {name} times what follows is "
    "written {name}*(...)",
    "several": "letter {letter}: {name} takes two arguments or more, got {count}",
    "single": "letter {letter}: {name} takes one argument, got {count}",
    "open": "letter {letter}: expected ) for the ( of letter {opened}, got {got}",
}


def _refusal(why: str, **values: Any) -> DataError:
    """Return the error of a text that is no formula; a `got` of None is the text's end."""
    near, known = values.get("near"), values.get("known", ())
    hint = f"; did you mean {near!r}?" if near is not None else f"; there are {', '.join(known)}"
    shown = {**values, "hint": hint} | ({"got": "the end"} if values.get("got", "") is None else {})
    return DataError(f"formula: {REFUSALS[why].format_map(shown)}", reason=f"formula.{why}", **values)


# Parsing ----------------------------------------------------------------------------------------------------

_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)|(?P<name>[^\W\d]\w*)"
    r"|`(?P<quoted>(?:[^`]|``)+)`|(?P<sign>\*\*|[-+*/^(),])|(?P<end>$)|(?P<other>\S))"
)
_PLAIN = re.compile(r"[^\W\d]\w*")


class _Token(NamedTuple):
    """A word of a formula: its kind, its text, and where it begins, counted from 1."""

    kind: str
    text: str
    at: int


def _tokens(text: str) -> list[_Token]:
    """Return the words of a text, with its end."""
    found, at = [], 0
    while not found or found[-1].kind != "end":
        match = _TOKEN.match(text, at)
        assert match is not None  # something is always there: at the least the end
        kind = str(match.lastgroup)
        at, word, begins = match.end(), match[kind], match.start(kind) + 1
        if kind == "quoted":
            word, begins = word.replace("``", "`"), begins - 1
        found.append(_Token(kind, word, begins))
    return found


class _Parser:
    """Recursive descent over the words of a text."""

    def __init__(self, text: str, inputs: Sequence[str]) -> None:
        self._inputs = dict.fromkeys(inputs)  # looked up often, and there may be thousands
        self._tokens, self._next, self._depth = _tokens(text), 0, 0

    def parsed(self) -> Part:
        """Return the whole."""
        found = self._sum()
        if self._peek.kind != "end":
            raise self._wrong(self._peek, "operator", got=show(self._peek.text))
        return found

    @property
    def _peek(self) -> _Token:
        return self._tokens[self._next]

    def _taken(self, *signs: str) -> _Token | None:
        """Take the next word if it is one of these signs."""
        token = self._peek
        if token.kind != "sign" or token.text not in signs:
            return None
        self._next += 1
        return token

    def _wrong(self, token: _Token, why: str, **values: Any) -> DataError:
        return _refusal(why, letter=token.at, **values)

    def _got(self, token: _Token) -> str | None:
        """What stands in place of what was expected; None for the end."""
        return None if token.kind == "end" else show(token.text)

    def _sum(self) -> Part:
        return self._chain(self._product, "+", "-")

    def _product(self) -> Part:
        return self._chain(self._factor, "*", "/")

    def _chain(self, part: Callable[[], Part], *signs: str) -> Part:
        found = part()
        while (sign := self._taken(*signs)) is not None:
            found = Apply(sign.text, (found, part()))
        return found

    def _factor(self) -> Part:
        self._depth += 1
        if self._depth > MOST_DEPTH:
            raise self._wrong(self._peek, "deep", most=MOST_DEPTH)
        if self._taken("-"):
            found: Part = Apply("negative", (self._factor(),))
        else:
            found = self._atom()
            if self._taken("^", "**"):
                found = Apply("^", (found, self._factor()))
        self._depth -= 1
        return found

    def _atom(self) -> Part:
        token = self._peek
        if self._taken("("):
            found = self._sum()
            self._close(token)
            return found
        self._next += token.kind != "end"
        if token.kind == "number":
            if not float(token.text) <= LARGEST:
                raise self._wrong(token, "large", number=show(token.text), most=f"{LARGEST:g}")
            return Number(token.text)
        if token.kind == "name":
            return self._call(token) if self._taken("(") else self._name(token)
        if token.kind == "quoted":
            return self._name(token)
        raise self._wrong(token, "atom", got=self._got(token))

    def _name(self, token: _Token) -> Part:
        name = token.text
        if name in self._inputs:
            return Column(name)
        if token.kind == "name" and name in CONSTANTS:
            return Constant(name)
        alike = [column for column in self._inputs if column.lower() == name.lower()]
        if len(alike) == 1:
            return Column(alike[0])
        if name in FUNCTIONS:
            raise self._wrong(token, "function", name=name)
        near = nearest(name, (*self._inputs, *CONSTANTS, *FUNCTIONS))
        listed = [*self._inputs][:8] + ["..."] * (len(self._inputs) > 8)
        raise self._wrong(token, "column", name=show(name), near=near, known=listed)

    def _call(self, token: _Token) -> Part:
        """Parse the arguments of a function, whose parenthesis was taken."""
        name, opened = token.text, self._tokens[self._next - 1]
        if name not in FUNCTIONS:
            if name in self._inputs or name in CONSTANTS:
                raise self._wrong(token, "times", quoted=show(name), name=name)
            near = nearest(name, FUNCTIONS)
            raise self._wrong(token, "call", name=show(name), near=near, known=list(FUNCTIONS))
        parts = [self._sum()]
        while self._taken(","):
            parts.append(self._sum())
        self._close(opened)
        if (len(parts) > 1) != (name in OF_SEVERAL):
            raise self._wrong(
                token, "several" if name in OF_SEVERAL else "single", name=name, count=len(parts)
            )
        return Apply(name, tuple(parts))

    def _close(self, opened: _Token) -> None:
        if not self._taken(")"):
            raise self._wrong(self._peek, "open", opened=opened.at, got=self._got(self._peek))


# Value and text ---------------------------------------------------------------------------------------------

_OPERATORS: dict[str, Callable[..., Any]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "negative": np.negative,
}
# How closely each holds its parts together: a part that holds less closely stands in parentheses.
_SUM, _PRODUCT, _FACTOR, _POWER, _ATOM = range(5)
_LEVELS = {
    "+": (_SUM, _SUM, _PRODUCT),
    "-": (_SUM, _SUM, _PRODUCT),
    "*": (_PRODUCT, _PRODUCT, _FACTOR),
    "/": (_PRODUCT, _PRODUCT, _FACTOR),
    "^": (_POWER, _ATOM, _FACTOR),
}


def _parts(tree: Part) -> list[Part]:
    """Return all parts of a formula, itself first."""
    found, waiting = [], [tree]
    while waiting:
        found.append(waiting.pop())
        if isinstance(found[-1], Apply):
            waiting += reversed(found[-1].parts)
    return found


def _value(part: Part, columns: Mapping[str, Any]) -> Any:
    if isinstance(part, Number):
        return float(part.text)
    if isinstance(part, Constant):
        return CONSTANTS[part.name]
    if isinstance(part, Column):
        return columns[part.name]
    values = [_value(inner, columns) for inner in part.parts]
    if all(isinstance(value, float) for value in values):  # arrays of one element, for what Python refuses
        return float(_applied(part.what, [np.full(1, value) for value in values])[0])
    return _applied(part.what, values)


def _applied(what: str, values: list[Any]) -> Any:
    """Return an operator or a function of values, of which one at least is an array."""
    if what == "^":
        base, exponent = values
        # The operator knows squares and roots, and numbers do not widen float32.
        return base**exponent
    function = _OPERATORS.get(what) or FUNCTIONS[what]
    if what not in OF_SEVERAL:
        return function(*values)
    found = values[0]
    for value in values[1:]:
        found = function(found, value)
    return found


def _text(part: Part) -> tuple[str, int]:
    """Return the text of a part without needless parentheses, and how closely it holds together."""
    if isinstance(part, Number):
        return part.text, _ATOM
    if isinstance(part, Constant):
        return part.name, _ATOM
    if isinstance(part, Column):
        plain = _PLAIN.fullmatch(part.name)
        return part.name if plain else f"`{part.name.replace('`', '``')}`", _ATOM
    if part.what == "negative":
        return "-" + _within(part.parts[0], _FACTOR), _FACTOR
    if part.what in FUNCTIONS:
        return f"{part.what}({','.join(_within(inner, _SUM) for inner in part.parts)})", _ATOM
    level, left, right = _LEVELS[part.what]
    first, second = part.parts
    return f"{_within(first, left)}{part.what}{_within(second, right)}", level


def _within(part: Part, level: int) -> str:
    text, own = _text(part)
    return text if own >= level else f"({text})"
