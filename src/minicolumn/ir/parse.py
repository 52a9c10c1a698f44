"""The parser of the text form of graphs: the exact inverse of `minicolumn.ir.text`, nothing evaluated."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import numpy as np

from minicolumn.errors import MinicolumnError, ShapeError, TraceError, did_you_mean
from minicolumn.ir import ops  # noqa: F401  (fills the operation table)
from minicolumn.ir.graph import CONST, INPUT, Graph, Node, const_node, input_node
from minicolumn.ir.op import Op, op_named
from minicolumn.ir.shapes import DTYPES, ArrayType, Dim, Length, TupleType, Type
from minicolumn.ir.text import NAME, WORDS
from minicolumn.ir.verify import infer_type

if TYPE_CHECKING:
    pass

T = TypeVar("T")
MAX_DEPTH = 64  # lists in lists and graphs in graphs; NumPy has at most 64 axes
MAX_DIGITS = 40
_TOKEN = re.compile(
    rf"""(?P<space>\s+)|(?P<comment>\#[^\n]*)|(?P<name>{NAME})|(?P<text>"(?:[^"\\\n]|\\.)*")
    |(?P<float>-?(?:\d+\.\d*(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+|inf|nan))|(?P<int>-?\d+)
    |(?P<elided><[^<>\n]*\ elements,[^<>\n]*>)|(?P<mark>[][(){{}}:=,])""",
    re.VERBOSE,
)


def parse_graph(text: str) -> Graph:
    """Return the graph that a text means; nodes that no output depends on are checked and dropped.

    Raises TraceError where the text is no graph or names an unknown operation, and ShapeError where a type is
    not what its operation gives. Both name the line. Printed with ``constants=None``, a graph comes back bit
    for bit, except that inputs without a name get the one they were printed with.

    >>> print(parse_graph("fn(x: f32[3], y: f32[]) { z: f32[3] = add(x, y) return z }"))
    fn(x: f32[3], y: f32[]) {
      a: f32[3] = add(x, y)
      return a
    }
    >>> parse_graph("fn(x: f32[3]) { z: f32[3] = exq(x) return z }")
    Traceback (most recent call last):
    minicolumn.errors.TraceError: line 1: there is no operation 'exq'; did you mean 'exp'?
    """
    reader = _Reader(text)
    graph = _graph(reader, 0)
    if reader.kind != "end":
        reader.unexpected("the end of the text")
    return graph


class _Reader:
    """The text, token by token: `kind` and `word` of the one ahead, and the comment behind the last one."""

    def __init__(self, text: str) -> None:
        self.text, self.at, self.line = text, 0, 1
        self.kind, self.word, self.comment = "", "", ""
        self.dims: dict[str, Dim] = {}  # named in types so far
        self.take()

    def take(self) -> str:
        """Return the token ahead and move past it."""
        taken, self.comment, line = self.word, "", self.line
        self._next()
        while self.kind in ("space", "comment"):
            if self.kind == "comment" and self.line == line:
                self.comment = self.word[1:].strip()
            self.line += self.word.count("\n")
            self._next()
        return taken

    def _next(self) -> None:
        match = _TOKEN.match(self.text, self.at)
        if match is not None:
            self.kind, self.word, self.at = str(match.lastgroup), match.group(), match.end()
        elif self.at == len(self.text):
            self.kind, self.word = "end", ""
        else:
            self.fail(TraceError(f"{self.text[self.at]!r} cannot be read here"), self.line)

    def fail(self, error: MinicolumnError, line: int) -> NoReturn:
        """Raise an error with its line."""
        raise type(error)(f"line {line}: {error}") from None

    def unexpected(self, expected: str) -> NoReturn:
        """Raise an error that says what should stand ahead."""
        found = repr(self.word[:40]) if self.word else "the end of the text"
        self.fail(TraceError(f"expected {expected}, found {found}"), self.line)

    def accept(self, word: str) -> bool:
        """Take the token ahead if it is this one."""
        found = self.word == word
        if found:
            self.take()
        return found

    def expect(self, word: str) -> None:
        """Take this token."""
        if not self.accept(word):
            self.unexpected(repr(word))

    def name(self, what: str) -> str:
        """Take a name."""
        if self.kind != "name":
            self.unexpected(what)
        return self.take()

    def listed(self, item: Callable[[], T], close: str) -> Iterator[T]:
        """Take items between commas up to a closing mark."""
        while not self.accept(close):
            yield item()
            if self.word != close:
                self.expect(",")


# Graphs and lines -------------------------------------------------------------------------------------------


def _graph(reader: _Reader, depth: int) -> Graph:
    return _body(reader, reader.name("the name of a graph"), depth)


def _body(reader: _Reader, name: str, depth: int) -> Graph:
    _check_depth(reader, depth)
    names: dict[str, Node] = {}
    reader.expect("(")
    inputs = tuple(reader.listed(lambda: _input(reader, names), ")"))
    reader.expect("{")
    while reader.word != "return":
        _statement(reader, names, depth)
    reader.take()
    outputs = tuple(reader.listed(lambda: _operand(reader, names), "}"))
    return Graph(inputs, outputs, name)


def _check_depth(reader: _Reader, depth: int) -> None:
    if depth > MAX_DEPTH:
        reader.fail(TraceError(f"lists and graphs nest at most {MAX_DEPTH} deep"), reader.line)


def _input(reader: _Reader, names: dict[str, Node]) -> Node:
    name = _fresh_name(reader, names, "the name of an input")
    names[name] = input_node(_declared(reader), name)
    return names[name]


def _statement(reader: _Reader, names: dict[str, Node], depth: int) -> None:
    line, name = reader.line, _fresh_name(reader, names, "the name of a value or 'return'")
    declared = _declared(reader)
    reader.expect("=")
    op = _op(reader)
    reader.expect("(")
    literal = _literal(reader, 0) if op is CONST else None
    operands, attrs = _arguments(reader, names, depth) if op is not CONST else ([], {})
    if op is CONST:
        reader.expect(")")
    where = reader.comment or None
    try:
        attrs = {"value": _constant(literal, declared)} if op is CONST else attrs
        names[name] = _node(op, operands, attrs, declared, where)
    except MinicolumnError as error:
        reader.fail(error, line)


def _node(op: Op, operands: list[Node], attrs: dict[str, Any], declared: Type, where: str | None) -> Node:
    found = infer_type(op, tuple(operand.type for operand in operands), attrs)
    if found != declared:
        raise ShapeError(f"{op.name} gives {found}, but the text says {declared}")
    return Node(op, operands, attrs, found, where)


def _op(reader: _Reader) -> Op:
    line, word = reader.line, reader.name("the name of an operation")
    try:
        op = op_named(word)
    except TraceError as error:
        reader.fail(error, line)
    if op is INPUT:
        reader.fail(TraceError("inputs stand between the parentheses behind the graph's name"), line)
    return op


def _arguments(reader: _Reader, names: dict[str, Node], depth: int) -> tuple[list[Node], dict[str, Any]]:
    operands: list[Node] = []
    attrs: dict[str, Any] = {}
    for _ in reader.listed(lambda: _argument(reader, names, operands, attrs, depth), ")"):
        pass
    return operands, attrs


def _argument(
    reader: _Reader, names: dict[str, Node], operands: list[Node], attrs: dict[str, Any], depth: int
) -> None:
    line, word = reader.line, reader.name("an operand or an attribute")
    if reader.accept("="):
        if word in attrs:
            reader.fail(TraceError(f"the attribute {word!r} stands here twice"), line)
        attrs[word] = _value(reader, depth + 1)
    elif attrs:
        reader.fail(TraceError(f"operands stand before attributes, but {word!r} comes behind one"), line)
    else:
        operands.append(_known(reader, names, word, line))


# Names and types --------------------------------------------------------------------------------------------


def _fresh_name(reader: _Reader, names: dict[str, Node], what: str) -> str:
    line, name = reader.line, reader.name(what)
    if name in names or name in WORDS:
        problem = "is defined twice" if name in names else "means something else"
        reader.fail(TraceError(f"the name {name!r} {problem}"), line)
    reader.expect(":")
    return name


def _operand(reader: _Reader, names: dict[str, Node]) -> Node:
    line = reader.line
    return _known(reader, names, reader.name("the name of a value"), line)


def _known(reader: _Reader, names: dict[str, Node], name: str, line: int) -> Node:
    if name not in names:
        reader.fail(TraceError(f"{name!r} is not defined above{did_you_mean(name, names)}"), line)
    return names[name]


def _declared(reader: _Reader) -> Type:
    if reader.accept("("):
        return TupleType(tuple(reader.listed(lambda: _array_type(reader), ")")))
    return _array_type(reader)


def _array_type(reader: _Reader) -> ArrayType:
    line, dtype = reader.line, reader.name("a type such as f32[2,3]")
    if dtype not in DTYPES:
        reader.fail(TraceError(f"there is no dtype {dtype!r}{did_you_mean(dtype, DTYPES)}"), line)
    reader.expect("[")
    return ArrayType(DTYPES[dtype], tuple(reader.listed(lambda: _length(reader), "]")))


def _length(reader: _Reader) -> Length:
    if reader.kind == "name":
        return _dimension(reader)
    if reader.kind != "int" or reader.word.startswith("-"):
        reader.unexpected("the length of an axis")
    return _integer(reader)


def _dimension(reader: _Reader) -> Dim:
    line, name = reader.line, reader.take()
    try:
        return reader.dims.setdefault(name, Dim(name))
    except MinicolumnError as error:
        reader.fail(TraceError(str(error)), line)


# Values -----------------------------------------------------------------------------------------------------


def _value(reader: _Reader, depth: int) -> Any:
    """Return an attribute; sequences are tuples in a graph, and printed with brackets."""
    if reader.kind == "name" and reader.word not in WORDS:
        line, name = reader.line, reader.take()
        if reader.word == "(":
            return _body(reader, name, depth)
        if name in reader.dims:
            return reader.dims[name]
        known = [*WORDS, *reader.dims]
        reader.fail(TraceError(f"there is no value {name!r}{did_you_mean(name, known)}"), line)
    return _literal(reader, depth)


def _literal(reader: _Reader, depth: int) -> Any:
    _check_depth(reader, depth)
    if reader.accept("["):
        return tuple(reader.listed(lambda: _literal(reader, depth + 1), "]"))
    read = _LITERALS.get(reader.kind)
    if read is None:
        reader.unexpected("a value")
    return read(reader)


def _word(reader: _Reader) -> Any:
    known = {**WORDS, **reader.dims}
    if reader.word not in known:
        reader.unexpected(f"a value{did_you_mean(reader.word, known)}")
    return known[reader.take()]


def _integer(reader: _Reader) -> int:
    if len(reader.word) > MAX_DIGITS:
        reader.fail(TraceError(f"integers have at most {MAX_DIGITS} digits"), reader.line)
    return int(reader.take())


def _text(reader: _Reader) -> str:
    try:
        found = json.loads(reader.word)
    except ValueError:
        reader.unexpected("text in quotes, as JSON has it")
    reader.take()
    return found


def _elided(reader: _Reader) -> NoReturn:
    problem = f"the constant {reader.word} was left out; print_graph(graph, constants=None) writes it"
    reader.fail(TraceError(problem), reader.line)


_LITERALS: dict[str, Callable[[_Reader], Any]] = {
    "name": _word,
    "int": _integer,
    "float": lambda reader: float(reader.take()),
    "text": _text,
    "elided": _elided,
}

# What may stand in a constant, by kind of dtype: nothing is rounded to an integer or taken for a truth.
_ELEMENTS: dict[str, tuple[type, ...]] = {"f": (float, int), "i": (int,), "u": (int,), "b": (bool,)}


def _constant(literal: object, declared: Type) -> np.ndarray:
    if not isinstance(declared, ArrayType):
        raise ShapeError(f"a constant is one array, but the text says {declared}")
    for element in _flat(literal):
        if type(element) not in _ELEMENTS[declared.dtype.kind]:
            raise ShapeError(f"{element!r} is no element of {declared}")
    try:
        with np.errstate(over="raise"):
            array = np.array(literal, declared.dtype)
    except ValueError:
        raise ShapeError("the constant's lists differ in length and form no array") from None
    except ArithmeticError as error:
        raise ShapeError(f"the constant is no {declared} ({error})") from None
    if array.shape != declared.shape and array.size + declared.size > 0:
        raise ShapeError(f"the constant has shape {list(array.shape)}, but the text says {declared}")
    return const_node(array.reshape(declared.shape)).attrs["value"]


def _flat(literal: object) -> Iterator[Any]:
    if isinstance(literal, tuple):
        for item in literal:
            yield from _flat(item)
    else:
        yield literal
