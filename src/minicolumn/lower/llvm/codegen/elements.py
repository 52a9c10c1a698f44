"""Computing the elements of values within loops: a scalar where nothing varies by lane, else a vector.

What does not depend on an inner loop is computed outside of it: a value belongs to the depth of the innermost
counter that its address, or that of anything it is computed from, depends on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from minicolumn.ir.graph import Node
from minicolumn.ir.ops.indexing import GATHER
from minicolumn.ir.shapes import Dim
from minicolumn.lower.llvm.codegen.emit import (
    MEMORY,
    Function,
    Value,
    const,
    index,
    lanes_of,
    llvm_type,
    vector,
)
from minicolumn.lower.llvm.codegen.scalar import emit_map
from minicolumn.lower.llvm.schedule.loops import Loops
from minicolumn.passes.addresses import (
    Addresses,
    Key,
    at_front,
    gather_indices,
    gather_rest,
    in_order,
    uniform,
)
from minicolumn.passes.index_map import Affine, IndexMap, linear, strides_of


def memory_type(node: Node) -> str:
    """Return how an element of an array lies in memory."""
    return MEMORY[str(node.array_type).split("[")[0]]


class Elements:
    """Values at the current counters of a loop nest.

    pointers    where each array begins
    along       the loop that the lanes walk along, the innermost unless set otherwise
    given       values that exist without being computed, such as the result of the product that is finished
    lengths     of symbolic dimensions
    status      where an index out of range is noted
    hides_masks whether LLVM must not see that a mask is constant
    """

    def __init__(
        self,
        f: Function,
        addresses: Addresses,
        loops: Loops,
        lanes: int,
        pointers: Mapping[Node, Value],
        lengths: Mapping[Dim, Value],
        status: Value,
        hides_masks: bool,
    ) -> None:
        self.f, self.addresses, self.loops, self.lanes = f, addresses, loops, lanes
        self.pointers, self.lengths, self.status = pointers, lengths, status
        self.hides_masks = hides_masks
        self.given: dict[Node, Callable[[], Value]] = {}
        self.counters: dict[int, Value] = {}
        self.mask: Value | None = None
        self.inner = self.along = len(loops.groups) - 1
        self._values: dict[Key, Value] = {}
        self._depths: dict[Key, int] = {}

    @contextmanager
    def scope(self) -> Iterator[None]:
        """Forget on leaving what was computed within."""
        before = dict(self._values)
        yield
        self._values = before

    @contextmanager
    def masked(self, mask: Value | None) -> Iterator[None]:
        """Touch only those lanes of memory whose bit is set."""
        self.mask, before = mask, self.mask
        yield
        self.mask = before

    def level_of(self, address: Affine) -> int:
        """Return the innermost loop that an address moves with, or -1."""
        return max((i for i, stride in enumerate(self.loops.strides(address)) if stride), default=-1)

    def depth(self, node: Node, index_map: IndexMap) -> int:
        """Return the loop depth at which a value can be computed."""
        key = (node, index_map)
        for needed in in_order(key, self._depths, self._needs):
            self._depths[needed] = self._depth(*needed)
        return self._depths[key]

    def _depth(self, node: Node, index_map: IndexMap) -> int:
        if node in self.given:
            return self.inner
        if uniform(node) is not None:
            return -1
        leaf = self.addresses.leaf(node, index_map)
        if leaf is not None:
            return self.level_of(leaf[1])
        depths = [self._depths[key] for key in self.addresses.operands(node, index_map)]
        if node.op is GATHER:
            depths.append(self.level_of(gather_rest(node, index_map)))
        return max(depths)

    def prepare(self, values: Iterable[Key], depth: int) -> None:
        """Compute what these values need and what does not depend on loops inside of this depth."""
        stack, seen = list(values)[::-1], set()
        while stack:
            key = stack.pop()
            if key in seen or key[0] in self.given:
                continue
            seen.add(key)
            if self.depth(*key) <= depth:
                self.value(*key)
            elif self.addresses.leaf(*key) is None:
                stack.extend(self.addresses.operands(*key))

    def value(self, node: Node, index_map: IndexMap) -> Value:
        """Return a value at the current counters."""
        key = (node, index_map)
        for needed in in_order(key, self._values, self._needs):
            self._values[needed] = self._value(*needed)
        return self._values[key]

    def _needs(self, key: Key) -> Sequence[Key]:
        """Return the values that one is computed from."""
        node, index_map = key
        if (
            node in self.given
            or uniform(node) is not None
            or self.addresses.leaf(node, index_map) is not None
        ):
            return ()
        return self.addresses.operands(node, index_map)

    def _value(self, node: Node, index_map: IndexMap) -> Value:
        if node in self.given:
            return self.given[node]()
        number = uniform(node)
        if number is not None:
            return const(llvm_type(node.array_type.dtype), number.item())
        leaf = self.addresses.leaf(node, index_map)
        if leaf is not None:
            return self.load(leaf[0], self.address(leaf[1]), self.stride(leaf[1]))
        if node.op is GATHER:
            return self._gathered(node, index_map)
        operands = [self._values[key] for key in self.addresses.operands(node, index_map)]
        if node.op.kind != "map":
            return operands[0]
        return emit_map(self.f, node, self._alike(operands))

    def _alike(self, operands: list[Value]) -> list[Value]:
        lanes = max(lanes_of(v.type) for v in operands)
        return [v if lanes_of(v.type) == lanes else self.f.splat(v, lanes) for v in operands]

    # Memory -----------------------------------------------------------------------------------------------

    def stride(self, address: Affine) -> int:
        """Return how far apart neighbouring lanes lie."""
        return self.loops.strides(address)[self.along] if self.loops.groups and self.lanes > 1 else 0

    def address(self, address: Affine) -> Value:
        """Return the number of an element at the current counters; of the first lane, for vectors."""
        total = index(address.const)
        for depth, stride in enumerate(self.loops.strides(address)):
            if stride:
                moved = self.counters[depth]
                moved = self.f.op("mul nsw", moved, index(stride)) if stride != 1 else moved
                total = moved if total == index(0) else self.f.op("add nsw", total, moved)
        return total

    def load(self, array: Node, place: Value, stride: int) -> Value:
        """Return an element, or a vector of them `stride` apart."""
        f, type = self.f, memory_type(array)
        pointer = f.at(self.pointers[array], place, type)
        if stride == 0:
            return self.bits(array, f.load(type, pointer))
        wide = vector(type, self.lanes)
        if stride == 1:
            loaded = f.load(wide, pointer) if self.mask is None else f.load_masked(wide, pointer, self.mask)
            return self.bits(array, loaded)
        return self.bits(array, self._strided(type, wide, pointer, stride))

    def _strided(self, type: str, wide: str, pointer: Value, stride: int) -> Value:
        f, value = self.f, Value("poison", wide)
        for k in range(self.lanes):
            step = index(k)
            if self.mask is not None and k:  # lanes that are not wanted read the first one's place
                wanted = f.lane(self.mask, k)
                step = f.select(wanted, step, index(0))
                step = f.op("mul nsw", step, index(stride))
            else:
                step = index(k * stride)
            value = f.with_lane(value, k, f.load(type, f.at(pointer, step, type)))
        return value

    def bits(self, array: Node, loaded: Value) -> Value:
        """Return what was loaded in the type that is computed with: a bool is a bit."""
        if array.array_type.dtype.kind != "b":
            return loaded
        return self.f.compare("ne", loaded, const(loaded.type, 0))

    def store(self, array: Node, address: Affine, value: Value) -> None:
        """Store a value at the current counters."""
        self.put(array, self.address(address), value)

    def put(self, array: Node, place: Value, value: Value) -> None:
        """Store a value from the element of some number on."""
        f, type = self.f, memory_type(array)
        if array.array_type.dtype.kind == "b":
            value = f.convert("zext", value, "i8")
        pointer = f.at(self.pointers[array], place, type)
        if self.lanes > 1 and lanes_of(value.type) == 1:
            value = f.splat(value, self.lanes)
        if self.mask is None:
            f.store(value, pointer)
        else:
            f.store_masked(value, pointer, self.mask)

    # IndexMap that are data ---------------------------------------------------------------------------------

    def _gathered(self, node: Node, index_map: IndexMap) -> Value:
        f, array = self.f, node.inputs[0]
        shape, rest = array.array_type.shape, gather_rest(node, index_map)
        if 0 in shape:  # there is nothing to read; whoever wants to is told so
            f.store(const("i32", 1), self.status)
            return const(llvm_type(array.array_type.dtype), 0)
        total = self._indexed(array, gather_indices(node, index_map))
        number, type = uniform(array), memory_type(array)
        if number is not None:
            return const(llvm_type(array.array_type.dtype), number.item())
        if lanes_of(total.type) == 1:
            place = f.op("add nsw", total, self.address(rest))
            return self.load(array, place, self.stride(rest))
        return self.bits(array, self._by_lane(array, type, total, rest))

    def _indexed(self, array: Node, indices: list[Key]) -> Value:
        """Return the number of an element within an array, from what the leading axes are indexed with."""
        f, strides = self.f, strides_of(array.array_type.shape)
        total: Value | None = None
        for axis, key in enumerate(indices):
            place = self._checked(key[0], self.value(*key), array, axis)
            step = f.op("mul nsw", place, const(place.type, strides[axis])) if strides[axis] != 1 else place
            total = step if total is None else f.op("add nsw", *self._alike([total, step]))
        assert total is not None
        return total

    def scattered(self, array: Node, indices: Sequence[Node], index_map: IndexMap) -> Value:
        """Return the number of the element that an update goes to."""
        shape = array.array_type.shape
        total = self._indexed(array, at_front(indices, index_map))
        trailing = shape[len(indices) :]
        rest = linear(index_map[len(index_map) - len(trailing) :], trailing)
        return self.f.op("add nsw", total, self.address(rest))

    def _by_lane(self, array: Node, type: str, index_map: Value, rest: Affine) -> Value:
        f, value, step = self.f, Value("poison", vector(type, self.lanes)), self.stride(rest)
        base = f.at(self.pointers[array], self.address(rest), type)
        for k in range(self.lanes):
            place = f.lane(index_map, k)
            if step:
                place = f.op("add nsw", place, index(k * step))
            value = f.with_lane(value, k, f.load(type, f.at(base, place, type)))
        return value

    def _checked(self, node: Node, place: Value, array: Node, axis: int) -> Value:
        """Return an index within its axis: negative ones wrap, and what is outside is noted and becomes 0."""
        f, dtype = self.f, node.array_type.dtype
        lanes = lanes_of(place.type)
        if dtype.itemsize < 8:
            place = f.convert("sext" if dtype.kind == "i" else "zext", place, "i64")
        length = array.array_type.shape[axis]
        size = f.splat(self.lengths[length] if isinstance(length, Dim) else index(length), lanes)
        if dtype.kind == "i":
            wrapped = f.op("add", place, size)
            place = f.select(f.compare("slt", place, const(place.type, 0)), wrapped, place)
        inside = f.compare("ult", place, size)
        self._note(f.op("xor", inside, const(inside.type, True)))
        return f.select(inside, place, const(place.type, 0))

    def _note(self, outside: Value) -> None:
        f, lanes = self.f, lanes_of(outside.type)
        if lanes > 1:
            if self.mask is not None:
                outside = f.op("and", outside, self.mask)
            outside = f.call(f"llvm.vector.reduce.or.v{lanes}i1", "i1", outside)
        with f.when(outside):
            f.store(const("i32", 1), self.status)
