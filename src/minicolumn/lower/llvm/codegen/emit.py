"""LLVM text: values that know their types, and a function that grows line by line.

Everything here is syntax. No instruction ever carries a fast-math flag, so that NaN and infinity travel and
results do not depend on what the optimiser happens to see.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np

# How arrays lie in memory, and how their elements are computed with: a bool is a byte there and a bit here.
MEMORY = {"f32": "float", "f64": "double", "i32": "i32", "i64": "i64", "u32": "i32", "bool": "i8"}
_SIZES = {"float": 4, "double": 8, "i1": 1, "i8": 1, "i16": 2, "i32": 4, "i64": 8, "ptr": 8}
_OF_DTYPE = {
    np.dtype(np.float32): "float",
    np.dtype(np.float64): "double",
    np.dtype(np.int32): "i32",
    np.dtype(np.int64): "i64",
    np.dtype(np.uint32): "i32",
    np.dtype(np.bool_): "i1",
}


class Value(NamedTuple):
    """A name or a literal, and its LLVM type: `Value("%3", "<8 x float>")`."""

    text: str
    type: str

    def __str__(self) -> str:
        return f"{self.type} {self.text}"


def llvm_type(dtype: np.dtype, lanes: int = 1) -> str:
    """Return the type in which elements of a dtype are computed with.

    >>> llvm_type(np.dtype(np.float32), 8)
    '<8 x float>'
    """
    return vector(_OF_DTYPE[dtype], lanes)


def vector(element: str, lanes: int) -> str:
    """Return a vector type, or the element's own for one lane."""
    return element if lanes == 1 else f"<{lanes} x {element}>"


def lanes_of(type: str) -> int:
    """Return how many lanes a type has; a scalar has one."""
    return int(type[1 : type.index(" ")]) if type.startswith("<") else 1


def element_of(type: str) -> str:
    """Return the type of one lane."""
    return type[type.index("x ") + 2 : -1] if type.startswith("<") else type


def size_of(type: str) -> int:
    """Return the bytes that a value takes in memory."""
    return _SIZES[element_of(type)] * lanes_of(type)


def is_float(type: str) -> bool:
    """Return whether a value of this type is a floating-point number."""
    return element_of(type) in ("float", "double")


def const(type: str, number: float | int | bool) -> Value:
    """Return a literal; for vectors the same number in every lane."""
    element = element_of(type)
    text = _float_text(element, float(number)) if is_float(type) else _integer_text(element, int(number))
    return Value(f"splat ({element} {text})" if lanes_of(type) > 1 else text, type)


def literal_integer(value: Value) -> int | None:
    """Return the integer of a literal, of a vector the one in every lane; None of what is computed."""
    found = re.fullmatch(r"(?:splat \(i\d+ (-?\d+)\)|(-?\d+))", value.text)
    return int(found[1] or found[2]) if found else None


def const_lanes(type: str, numbers: Sequence[float | int]) -> Value:
    """Return a vector literal with a number for each lane."""
    element = element_of(type)
    return Value(f"<{', '.join(str(const(element, n)) for n in numbers)}>", type)


def _float_text(element: str, number: float) -> str:
    # The bits, so that nothing is lost on the way through decimal; float literals are written as doubles.
    rounded = float(np.float32(number)) if element == "float" else number
    return f"0x{struct.pack('>d', rounded).hex().upper()}"


def _integer_text(element: str, number: int) -> str:
    return ("true" if number else "false") if element == "i1" else str(number)


class Module:
    """LLVM text under construction: functions by name, and what they call from outside."""

    def __init__(self) -> None:
        self.functions: dict[str, str] = {}
        self.globals: dict[str, str] = {}
        self.declared: dict[str, str] = {}
        self._known: dict[str, str] = {}

    def share(self, f: Function) -> str:
        """Finish a function, or drop it if one of the same text is there; return the name of the one."""
        name = f.finish()
        text = self.functions[name].replace(f"@{name}(", "@(", 1)
        known = self._known.setdefault(text, name)
        if known != name:
            del self.functions[name]
        return known

    def __str__(self) -> str:
        declared = (d for name, d in sorted(self.declared.items()) if name not in self.functions)
        return "\n".join((*self.globals.values(), *self.functions.values(), *declared, ""))

    def declare(self, name: str, returns: str, arguments: Sequence[str]) -> None:
        """Note that a function is called, so that it is declared unless it is defined here."""
        self.declared.setdefault(name, f"declare {returns} @{name}({', '.join(arguments)})")

    def array(self, name: str, type: str, numbers: Sequence[float | int]) -> Value:
        """Return a pointer to an array that is part of the code."""
        items = ", ".join(str(const(type, n)) for n in numbers)
        self.globals[name] = f"@{name} = private constant [{len(numbers)} x {type}] [{items}], align 64"
        return Value(f"@{name}", "ptr")


class Loop:
    """A running loop: its counter, the values it carries, and what it leaves behind."""

    def __init__(self, counter: Value, carried: list[Value]) -> None:
        self.counter = counter
        self.carried = carried
        self.results: list[Value] = []

    def next(self, *values: Value) -> None:
        """Say what the carried values are in the next iteration; called once, at the end of the body."""
        self.results = list(values)


class Function:
    """One function, written top to bottom; methods add an instruction and return its value."""

    def __init__(
        self,
        module: Module,
        name: str,
        parameters: Sequence[tuple[str, str]],
        returns: str = "void",
        attributes: str = "",
    ) -> None:
        """Begin a function; `parameters` are (name, type with attributes), such as ("x", "ptr noalias")."""
        self.module, self.name, self.returns = module, name, returns
        self.parameters = {n: Value(f"%{n}", t.split(" ")[0] if t[0] != "<" else t) for n, t in parameters}
        listed = ", ".join(f"{t} %{n}" for n, t in parameters)
        linkage = "internal " if "internal" in attributes.split() else ""
        rest = " ".join(a for a in attributes.split() if a != "internal")
        self._head = f"define {linkage}{returns} @{name}({listed}) {rest}".rstrip() + " {"
        self._entry: list[str] = []
        self._lines: list[str] = []
        self._count = 0
        self._block = "entry"

    # Syntax -----------------------------------------------------------------------------------------------

    def fresh(self, hint: str = "v") -> str:
        """Return a name that is not taken."""
        self._count += 1
        return f"{hint}{self._count}"

    def line(self, text: str) -> None:
        """Add a line as it stands."""
        self._lines.append(f"  {text}")

    def let(self, type: str, text: str) -> Value:
        """Add an instruction that has a result."""
        name = f"%{self.fresh()}"
        self._lines.append(f"  {name} = {text}")
        return Value(name, type)

    def let_first(self, type: str, text: str) -> Value:
        """Add an instruction at the beginning of the function, so that everything can use its result."""
        name = f"%{self.fresh()}"
        self._entry.append(f"  {name} = {text}")
        return Value(name, type)

    def block(self, label: str) -> None:
        """Begin a basic block."""
        self._lines.append(f"{label}:")
        self._block = label

    def finish(self, result: Value | None = None) -> str:
        """End the function, hand it to its module, and return its name."""
        self.line(f"ret {result}" if result else "ret void")
        self.module.functions[self.name] = "\n".join([self._head, "entry:", *self._entry, *self._lines, "}"])
        return self.name

    # Arithmetic -------------------------------------------------------------------------------------------

    def op(self, opcode: str, *operands: Value) -> Value:
        """Apply an instruction whose operands and result have one type: fadd, fmul, add, and, shl ..."""
        first = operands[0]
        return self.let(first.type, f"{opcode} {first.type} {', '.join(o.text for o in operands)}")

    def compare(self, predicate: str, a: Value, b: Value) -> Value:
        """Compare: ordered float predicates are olt, oeq ..., unordered ult, une ...; integers slt, eq ..."""
        kind = "fcmp" if is_float(a.type) else "icmp"
        return self.let(vector("i1", lanes_of(a.type)), f"{kind} {predicate} {a}, {b.text}")

    def select(self, condition: Value, a: Value, b: Value) -> Value:
        """Choose by lane."""
        return self.let(a.type, f"select {condition}, {a}, {b}")

    def convert(self, opcode: str, value: Value, element: str) -> Value:
        """Convert each lane: sitofp, uitofp, fptosi, zext, sext, trunc, fpext, fptrunc, bitcast."""
        to = vector(element, lanes_of(value.type))
        return value if to == value.type else self.let(to, f"{opcode} {value} to {to}")

    def intrinsic(self, name: str, *operands: Value) -> Value:
        """Call an overloaded intrinsic of one type, such as fma, fabs, sqrt, floor, copysign, smax."""
        type = operands[0].type
        short = {"float": "f32", "double": "f64"}.get(element_of(type), element_of(type))
        suffix = f"v{lanes_of(type)}{short}" if lanes_of(type) > 1 else short
        return self.call(f"llvm.{name}.{suffix}", type, *operands)

    def fma(self, a: Value, b: Value, c: Value) -> Value:
        """Return a b + c, rounded once."""
        return self.intrinsic("fma", a, b, c)

    def call(self, function: str, returns: str, *arguments: Value) -> Value:
        """Call a function; one that is not defined in this module is declared."""
        self.module.declare(function, returns, [a.type for a in arguments])
        text = f"call {returns} @{function}({', '.join(map(str, arguments))})"
        if returns == "void":
            self.line(text)
            return Value("", "void")
        return self.let(returns, text)

    # Lanes ------------------------------------------------------------------------------------------------

    def splat(self, value: Value, lanes: int) -> Value:
        """Return a scalar in every lane."""
        if lanes == 1:
            return value
        type = vector(value.type, lanes)
        if not value.text.startswith(("%", "@")):
            return Value(f"splat ({value})", type)
        one = self.let(type, f"insertelement {type} poison, {value}, i64 0")
        return self.let(type, f"shufflevector {one}, {type} poison, <{lanes} x i32> zeroinitializer")

    def lane(self, value: Value, index: int) -> Value:
        """Return one lane."""
        return self.let(element_of(value.type), f"extractelement {value}, i64 {index}")

    def with_lane(self, value: Value, index: int, scalar: Value) -> Value:
        """Return the vector with one lane replaced."""
        return self.let(value.type, f"insertelement {value}, {scalar}, i64 {index}")

    def shuffle(self, a: Value, b: Value | None, places: Sequence[int]) -> Value:
        """Return lanes of a and b by number; those of b count on from those of a."""
        other = b if b is not None else Value("poison", a.type)
        listed = ", ".join(f"i32 {p}" for p in places)
        type = vector(element_of(a.type), len(places))
        return self.let(type, f"shufflevector {a}, {other}, <{len(places)} x i32> <{listed}>")

    def halves(self, value: Value) -> tuple[Value, Value]:
        """Return the first and the second half of the lanes."""
        lanes = lanes_of(value.type) // 2
        if lanes == 1:
            return self.lane(value, 0), self.lane(value, 1)
        return self.shuffle(value, None, range(lanes)), self.shuffle(value, None, range(lanes, 2 * lanes))

    # Memory -----------------------------------------------------------------------------------------------

    def at(self, pointer: Value, index: Value | int, element: str) -> Value:
        """Return the address of an element, by number from the pointer."""
        if index == 0:
            return pointer
        place = Value(str(index), "i64") if isinstance(index, int) else index
        return self.let("ptr", f"getelementptr inbounds {element}, {pointer}, {place}")

    def load(self, type: str, pointer: Value, align: int | None = None) -> Value:
        """Load a value; unless told otherwise it is aligned as its element is."""
        return self.let(type, f"load {type}, {pointer}, align {align or _SIZES[element_of(type)]}")

    def store(self, value: Value, pointer: Value, align: int | None = None) -> None:
        """Store a value."""
        self.line(f"store {value}, {pointer}, align {align or _SIZES[element_of(value.type)]}")

    def load_masked(self, type: str, pointer: Value, mask: Value) -> Value:
        """Load the lanes whose bit is set; the others are 0, and their memory is not touched."""
        name = f"llvm.masked.load.{_suffix(type)}.p0"
        zero = Value("zeroinitializer", type)
        self.module.declare(name, type, ["ptr", "i32 immarg", mask.type, type])
        align = _SIZES[element_of(type)]
        return self.let(type, f"call {type} @{name}({pointer}, i32 {align}, {mask}, {zero})")

    def store_masked(self, value: Value, pointer: Value, mask: Value) -> None:
        """Store the lanes whose bit is set."""
        name = f"llvm.masked.store.{_suffix(value.type)}.p0"
        self.module.declare(name, "void", [value.type, "ptr", "i32 immarg", mask.type])
        align = _SIZES[element_of(value.type)]
        self.line(f"call void @{name}({value}, {pointer}, i32 {align}, {mask})")

    def opaque(self, value: Value) -> Value:
        """Return an integer that LLVM knows nothing of; no instruction comes of it."""
        return self.let(value.type, f'call {value.type} asm "", "=r,0"({value})')

    def alloca(self, type: str, count: int = 1, align: int = 64) -> Value:
        """Return room on the stack for as long as the function runs, wherever in it this is called."""
        name = f"%{self.fresh('room')}"
        self._entry.append(f"  {name} = alloca [{count} x {type}], align {align}")
        return Value(name, "ptr")

    # Control ----------------------------------------------------------------------------------------------

    @contextmanager
    def loop(
        self, start: Value | int, stop: Value | int, step: int = 1, carried: Sequence[Value] = ()
    ) -> Iterator[Loop]:
        """Run a body for start, start + step, ... below stop; maybe never.

        The body calls `loop.next(...)` with the next values of what is carried; afterwards `loop.results`
        holds the last ones.
        """
        first, last = (Value(str(x), "i64") if isinstance(x, int) else x for x in (start, stop))
        name, before = self.fresh("loop"), self._block
        counter = Value(f"%{name}.i", "i64")
        held = [Value(f"%{name}.c{k}", v.type) for k, v in enumerate(carried)]
        self.line(f"br label %{name}")
        self.block(name)
        mark = len(self._lines)  # the phis are written when the end of the body is known
        more = self.compare("slt", counter, last)
        self.line(f"br {more}, label %{name}.body, label %{name}.end")
        self.block(f"{name}.body")
        loop = Loop(counter, held)
        yield loop
        assert len(loop.results) == len(held), "every carried value needs a next one"
        self.line(f"%{name}.n = add nsw i64 {counter.text}, {step}")
        phis = [f"  {counter.text} = phi i64 [{first.text}, %{before}], [%{name}.n, %{self._block}]"]
        for held_value, v, after in zip(held, carried, loop.results, strict=True):
            arms = f"[{v.text}, %{before}], [{after.text}, %{self._block}]"
            phis.append(f"  {held_value.text} = phi {v.type} {arms}")
        self.line(f"br label %{name}")
        self._lines[mark:mark] = phis
        self.block(f"{name}.end")
        loop.results = held

    @contextmanager
    def count(self, start: Value | int, stop: Value | int) -> Iterator[Value]:
        """Run a body for start, start + 1, ... below stop, which carries nothing."""
        with self.loop(start, stop) as loop:
            yield loop.counter

    @contextmanager
    def when(self, condition: Value) -> Iterator[None]:
        """Run a body if a bit is set."""
        name = self.fresh("when")
        self.line(f"br {condition}, label %{name}, label %{name}.end")
        self.block(name)
        yield
        self.line(f"br label %{name}.end")
        self.block(f"{name}.end")


def _suffix(type: str) -> str:
    short = {"float": "f32", "double": "f64"}.get(element_of(type), element_of(type))
    return f"v{lanes_of(type)}{short}" if lanes_of(type) > 1 else short


def index(number: int) -> Value:
    """Return an i64 literal."""
    return Value(str(number), "i64")
