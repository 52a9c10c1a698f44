"""Pretty-printed plan of a program: kernels in running order, what each computes, reads, writes and costs.

    in      kernels with their memory plan, and those of the bodies of loops
    out     one line a kernel, as text or JSON

    plan of mlp: 4 operations in 2 kernels; arena 2.05 kB; a run moves 5.76 kB and does 9.73 kflop
      shape      bytes    flop  threads  computes; reads -> writes, and where that lies
      [32,16]  3.58 kB  8.19 k  shared   a = x @ w
                                           x, w -> a @0
      [16]     2.18 kB  1.54 k  solo     c = sum(tanh(a + b), axis 0)
                                           b, a -> c result 0

Elsewhere   XLA's HLO dumps with cost analysis, EXPLAIN of databases
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import count
from typing import Any, Protocol

from minicolumn.ir.graph import CONST, INPUT, Graph, Node
from minicolumn.ir.ops.indexing import GATHER
from minicolumn.ir.shapes import TupleType
from minicolumn.ir.text import legal_name
from minicolumn.passes.formula import Formulas
from minicolumn.passes.kernel import Fused, Kernel, array_below, arrays_read, evaluated, inlined, is_leaf
from minicolumn.passes.memory import Memory, bytes_of

# A kernel's formula is shown if it is no longer than this; otherwise its operations are counted.
MOST_FORMULA = 72
HEAD = ("shape", "bytes", "flop", "threads", "computes; reads -> writes, and where that lies")
# How many arrays are named before the rest is counted.
MOST_NAMES = 6


class Stage(Protocol):
    """A graph as kernels, with its memory plan and the bodies of its loops: what a lowering hands over.

    inner       of loops over a body, the stage of the body
    lanes       of loops that are run in registers, how many rows side by side in vector lanes
    """

    @property
    def graph(self) -> Graph: ...
    @property
    def fused(self) -> Fused: ...
    @property
    def memory(self) -> Memory: ...
    @property
    def inner(self) -> Mapping[Kernel, Any]: ...
    @property
    def lanes(self) -> Mapping[Kernel, int]: ...


@dataclass(frozen=True)
class Line:
    """One kernel of a plan, as a row of the printed table.

    depth       how many loops it is in
    words       what it computes
    shape       of what it computes
    reads       names of the arrays it reads; gathers read only some rows of theirs
    writes      names of the arrays it writes, each with where that lies
    bytes       that one run of it reads and writes, and flops that it does: floats only, two a multiply-add
    operations  of the graph that it does
    iterations       iterations: how often it runs each time the program does
    shared      whether threads share its work
    """

    depth: int
    kind: str
    words: str
    shape: tuple[int, ...]
    reads: tuple[str, ...]
    writes: tuple[str, ...]
    bytes: int
    flops: int
    operations: int
    iterations: int
    shared: bool
    kernel: Kernel | None = field(default=None, repr=False, compare=False)

    def to_json(self) -> dict[str, Any]:
        """Return the line as plain JSON values, by the names above; the kernel itself is left out."""
        kept = {name: getattr(self, name) for name in self.__dataclass_fields__ if name != "kernel"}
        return {**kept, "shape": list(self.shape), "reads": list(self.reads), "writes": list(self.writes)}


@dataclass(frozen=True, eq=False)
class Shown:
    """A plan, ready to print: its lines, and the bytes of its arena."""

    name: str
    lines: tuple[Line, ...]
    arena: int

    @cached_property
    def kernels(self) -> tuple[Line, ...]:
        """Return the lines that are kernels: not loops made of some, nor copies."""
        return tuple(line for line in self.lines if line.kind not in ("scan", "copy"))

    @property
    def operations(self) -> int:
        """Return how many operations of the graph the kernels do."""
        return sum(line.operations for line in self.kernels)

    @property
    def flops(self) -> int:
        """Return the floating-point operations of one run of the program, over all iterations of loops."""
        return sum(line.flops * line.iterations for line in self.kernels)

    @property
    def bytes(self) -> int:
        """Return the memory traffic of one run of the program in bytes, caches aside, over all iterations."""
        return sum(line.bytes * line.iterations for line in self.lines if line.kind != "scan")

    @property
    def totals(self) -> str:
        """Return the sums in one line."""
        return (
            f"{_count(self.operations, 'operation')} in {_count(len(self.kernels), 'kernel')}; "
            f"arena {size(self.arena)}; a run moves {size(self.bytes)} and does {amount(self.flops)}flop"
        )

    def __str__(self) -> str:
        return "\n".join([f"plan of {self.name}: {self.totals}", *_table(self.lines)])

    def to_json(self) -> dict[str, Any]:
        """Return the plan as plain JSON values: sums, and a list of lines."""
        sums = {"kernels": len(self.kernels), "operations": self.operations, "flops": self.flops}
        return {"arena": self.arena, "bytes": self.bytes, **sums, "lines": [x.to_json() for x in self.lines]}


def show_plan(stage: Stage, shared: Callable[[Fused, Kernel], bool]) -> Shown:
    """Return the plan of a program, ready to print.

    shared      ``shared(fused, kernel)`` says whether threads share a kernel's work
    """
    names = {
        node: legal_name(node.attrs.get("name") or f"input{k}") for k, node in enumerate(stage.graph.inputs)
    }
    writer = _Writer(stage, shared, 0, 1, {}, names, _letters())
    return Shown(stage.graph.name, tuple(writer.lines()), stage.memory.size)


def _letters() -> Iterator[str]:
    """Yield names for arrays that have none: a, b, ... z, a1, b1, ..."""
    return (f"{letter}{k or ''}" for k in count() for letter in "abcdefghijklmnopqrstuvwxyz")


class _Writer:
    """The lines of one level: the whole program, or the body of a loop.

    states      what holds a loop's state, by the number of the result that replaces it
    names       of the graph's inputs
    fresh       names for the arrays between, in running order
    """

    def __init__(
        self,
        stage: Stage,
        shared: Callable[[Fused, Kernel], bool],
        depth: int,
        iterations: int,
        states: Mapping[int, Node],
        names: Mapping[Node, str],
        fresh: Iterator[str],
    ) -> None:
        self.stage, self.shared, self.depth, self.iterations, self.states = (
            stage,
            shared,
            depth,
            iterations,
            states,
        )
        self.fused, self.memory, self.fresh = stage.fused, stage.memory, fresh
        self.names = self._named(names)
        self.formulas = Formulas(self.names, self.fused.arrays)

    def lines(self) -> Iterator[Line]:
        """Yield a line for each kernel, those of a loop's body after the loop's, then the copies."""
        for kernel in self.memory.kernels:
            yield self._scan(kernel) if kernel.kind == "scan" else self._line(kernel)
            if kernel in self.stage.inner:
                yield from self._inner(kernel)
        for copy in self.memory.copies:
            yield self._copy(copy.source, copy.output, copy.room)

    def _named(self, inputs: Mapping[Node, str]) -> dict[Node, str]:
        """Return names for all arrays; a loop's new state is the old one's with a prime."""
        names, taken = dict(inputs), set(inputs.values())
        constants = (n for n in self.stage.graph.nodes if n.op is CONST)
        names |= {node: f"const{k}" for k, node in enumerate(constants)}
        for kernel in self.memory.kernels:
            for array in self._written(kernel):
                old = self.states.get(self.memory.results.get(array, -1))
                free = next(name for name in self.fresh if name not in taken) if old is None else ""
                names.setdefault(array, free or f"{names[old]}'")  # type: ignore[index]
        return names

    def _written(self, kernel: Kernel) -> list[Node]:
        if kernel.kind != "scan":
            return kernel.targets
        return [i for i in self.fused.items if i.inputs[0] is kernel.anchor]

    def _line(self, kernel: Kernel) -> Line:
        """Return the line of a kernel that is no loop over a body: its formula, names, traffic and flops."""
        parts = parts_of(kernel, self.fused)
        reads, written = arrays_read(kernel, self.fused.arrays), kernel.targets
        return Line(
            self.depth,
            kernel.kind,
            self._words(kernel, parts),
            kernel.shape,
            tuple(self.names[a] for a in reads if not _is_number(a)),
            tuple(self._placed(a) for a in written),
            sum(_read_bytes(a, parts, kernel) for a in reads) + sum(bytes_of(a.array_type) for a in written),
            sum(map(flops_of, parts)),
            len(parts),
            self.iterations,
            self.shared(self.fused, kernel),
            kernel,
        )

    def _words(self, kernel: Kernel, parts: Sequence[Node]) -> str:
        """Return a kernel's formula, or where that is too long its operations, counted."""
        text = self.formulas.of(kernel)
        if len(text) <= MOST_FORMULA:
            return text
        lead = f"{self.formulas.anchor(kernel)}, then " if kernel.anchor is not None else ""
        counted = Counter(n.op.name for n in parts if n is not kernel.anchor)
        listed = [name if k == 1 else f"{k} {name}" for name, k in counted.most_common()]
        return short(f"{lead}{', '.join(listed)}", MOST_FORMULA)

    def _placed(self, array: Node) -> str:
        return f"{self.names[array]} {self._place(array)}"

    def _place(self, array: Node) -> str:
        """Return where an array lies: an address in the arena, a result, or in place of a loop's state."""
        if array in self.memory.results:
            k = self.memory.results[array]
            return "in place" if k in self.states else f"result {k}"
        region = self.memory.region(array)
        return f"@{region[0]:,}" if region else "nowhere"

    # Loops ------------------------------------------------------------------------------------------------

    def _scan(self, kernel: Kernel) -> Line:
        """Return the line of a loop over a body: iterations, and whether its state is in arrays or not."""
        node = kernel.anchor
        assert node is not None
        attrs, body = node.attrs, node.attrs["body"]
        items = self._written(kernel)
        reads = [self.names[a] for a in arrays_read(kernel, self.fused.arrays)]
        inside = [n for n in body.nodes if n.op not in (INPUT, CONST)]
        lanes = self.stage.lanes.get(kernel)
        words = f"{'backwards ' * attrs['reverse']}loop of {attrs['length']:,} iterations"
        if lanes is None:
            words += f", {_count(attrs['carry'], 'array')} of state"
        else:
            count = _count(len(inside), "operation")
            words += f" in registers, {lanes} lanes: {count} an iteration, nothing stored"
        carried = sum(bytes_of(t) for t in _types(node)[: attrs["carry"]])
        return Line(
            self.depth, "scan" if lanes is None else "registers", words, (attrs["length"],), tuple(reads),
            tuple(self._placed(i) for i in items), carried, sum(map(flops_of, inside)), len(inside),
            self.iterations * (1 if lanes is None else attrs["length"]), False, kernel,
        )  # fmt: skip

    def _inner(self, kernel: Kernel) -> Iterator[Line]:
        """Yield the lines of a loop's body, one level deeper; what is sliced by iteration is x[iteration]."""
        assert kernel.anchor is not None
        attrs, stage = kernel.anchor.attrs, self.stage.inner[kernel]
        states = {k: stage.graph.inputs[attrs["consts"] + k] for k in range(attrs["carry"])}
        iterations, before = self.iterations * attrs["length"], attrs["consts"] + attrs["carry"]
        outer = [self._seen(operand) for operand in kernel.anchor.inputs]
        names = {
            node: name if k < before else f"{name}[iteration]"
            for k, (node, name) in enumerate(zip(stage.graph.inputs, outer, strict=True))
        }
        yield from _Writer(stage, self.shared, self.depth + 1, iterations, states, names, self.fresh).lines()

    def _seen(self, operand: Node) -> str:
        """Return the name of the array that an operand of a loop is a view of."""
        return self.names[array_below(operand, self.fused.arrays)]

    def _copy(self, source: Node, output: int, room: bool) -> Line:
        """Return the line of a copy into a result, or into the state of a loop."""
        where = self.names[self.states[output]] if output in self.states else f"result {output}"
        words = f"copy {self.names[source]} to {where}{' by way of the arena' * room}"
        type = source.array_type
        return Line(
            self.depth, "copy", words, type.shape, (self.names[source],), (where,), 2 * bytes_of(type), 0, 0,
            self.iterations, False,
        )  # fmt: skip


# What a kernel costs --------------------------------------------------------------------------------------


def parts_of(kernel: Kernel, fused: Fused) -> list[Node]:
    """Return the operations that a kernel does, in the order of the graph."""
    found = set() if kernel.anchor is None or kernel.kind == "fill" else {kernel.anchor}
    for value, computed in evaluated(kernel):
        found |= inlined(value, fused.arrays, computed)
    found |= {s.target for s in kernel.stores if s.target.op.kernel == "store"}
    return [n for n in fused.graph.nodes if n in found and not is_leaf(n)]


def flops_of(node: Node) -> int:
    """Return an operation's floating-point operations: two a multiply-add, one an elementary function.

    product     2 * elements of the result * length of the sums
    map         flops of the operation * elements of the result
    reduce      flops of the operation * elements of the operand
    """
    type = node.type
    if isinstance(type, TupleType) or not type.is_float:
        return 0
    if node.op.kind == "product":
        return 2 * type.size * node.inputs[0].array_type.shape[-1]
    if node.op.kind == "map":
        return node.op.flops * type.size
    return node.op.flops * node.inputs[0].array_type.size if node.op.kind in ("reduce", "order") else 0


def _read_bytes(array: Node, parts: Sequence[Node], kernel: Kernel) -> int:
    """Return what is read of an array: all of it, or the rows that are gathered."""
    whole = bytes_of(array.array_type)
    readers = [n for n in parts if array in n.inputs]
    if readers and all(n.op is GATHER and n.inputs[0] is array for n in readers):
        return min(whole, sum(bytes_of(n.array_type) for n in readers))
    return whole


def _types(node: Node) -> Sequence[Any]:
    assert isinstance(node.type, TupleType)
    return node.type.items


def _is_number(node: Node) -> bool:
    return node.op is CONST and node.array_type.size == 1


# Text -----------------------------------------------------------------------------------------------------


def _table(lines: Sequence[Line]) -> list[str]:
    """Return the lines in columns; below what is computed stands what is touched."""
    rows = [HEAD[:4], *map(cells, lines)]
    widths = [max(len(row[k]) for row in rows) for k in range(4)]
    left = [_columns(row, widths) for row in rows]
    text = [f"{left[0]}  {HEAD[4]}"]
    for line, columns in zip(lines, left[1:], strict=True):
        indent = "  " * line.depth
        text.append(f"{columns}  {indent}{line.words}")
        if touched := touches(line):
            text.append(f"{' ' * len(columns)}  {indent}  {touched}")
    return text


def _columns(row: Sequence[str], widths: Sequence[int]) -> str:
    a, b, c, d = widths
    return f"  {row[0]:<{a}}  {row[1]:>{b}}  {row[2]:>{c}}  {row[3]:<{d}}"


def cells(line: Line) -> tuple[str, str, str, str]:
    """Return a line's cells as text: shape, bytes, flops, and whether threads share it."""
    flops = "" if line.kind in ("scan", "copy") or not line.flops else amount(line.flops).rstrip()
    who = "loop" if line.kind == "scan" else "shared" if line.shared else "solo"
    return str(list(line.shape)).replace(" ", ""), size(line.bytes), flops, who


def touches(line: Line, most: int = MOST_NAMES) -> str:
    """Return what a kernel reads, and where it writes, in one line.

    most        names of either; the rest is counted
    """
    if line.kind == "copy":
        return ""
    reads = f"{_listed(line.reads, most)} -> " if line.reads else "-> "
    return reads + (_listed(line.writes, most) or "nothing that is read")


def _listed(names: Sequence[str], most: int) -> str:
    rest = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + rest


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' * (number != 1)}"


def short(text: str, width: int) -> str:
    """Return a text, cut and ended by dots where it is longer than a width.

    >>> short("one, two, three", width=12)
    'one, two...'
    """
    return text if len(text) <= width else f"{text[: width - 3].rstrip(' ,')}..."


def amount(number: float) -> str:
    """Return a number in thousands, millions ... with a space before the unit's letter.

    >>> amount(980), amount(60_211_200)
    ('980 ', '60.2 M')
    """
    for letter, unit in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if number >= unit:
            return f"{number / unit:.3g} {letter}"
    return f"{number:g} "


def size(bytes: int) -> str:
    """Return a number of bytes in units of 1000.

    >>> size(128), size(401_408)
    ('128 B', '401 kB')
    """
    return f"{amount(bytes)}B"
