"""Random bits and permutations in machine code: a cipher on vector lanes, and a radix sort of what it gives.

A permutation of n is the stable argsort of n random words, as `minicolumn.random.permutation` defines it.
Each word becomes a pair of itself and its index, as one number: such numbers are all different, so that any
sort of them is stable. Two passes of LSD radix sort put the pairs in order by their leading bits, enough of
them that few of n words agree there, and insertion sort does what is left.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from minicolumn.lower.llvm.codegen.emit import Function, Module, Value, const, const_lanes, index, vector
from minicolumn.lower.llvm.runtime.jit import Loaded, Target, host_target, object_of

# Threefry-2x32 with 20 rounds, and what its counters say a block is for, as in `minicolumn.random`.
ROTATIONS = ((13, 15, 26, 6), (17, 29, 16, 24))
PARITY = 0x1BD11BDA
FOR_BITS, FOR_FOLD = 0, 1
# Bits of a digit at most: the 2,048 places that a pass writes to are about as many as a processor keeps the
# addresses of. One bit less than numbers up to n have is enough: of 2,000 words two pairs agree in 20 bits.
MOST_BITS = 11
# From here on so many words agree in 22 bits that a third pass is faster than insertion.
MANY = 1 << 23
_COUNTERS = 3 << MOST_BITS
# Numbers to order in one call, some 50 milliseconds, so that an interrupt is heard between two of them.
_MOST_NUMBERS = 1 << 23

_ADDRESS, _NUMBER = ctypes.c_void_p, ctypes.c_int64
_ARGUMENTS = {
    "words": (_ADDRESS, _NUMBER, _ADDRESS),
    "sort": (_ADDRESS, _NUMBER, _ADDRESS),
    "permute": (_ADDRESS, _NUMBER, _ADDRESS, _ADDRESS),
    "permute_folded": (_ADDRESS, _NUMBER, _NUMBER, _NUMBER, _ADDRESS, _ADDRESS),
}


class Shuffle:
    """Permutations by machine code, without Python's lock; any threads may ask for some at once."""

    def __init__(self, target: Target | None = None, many: int = MANY) -> None:
        """Load the code for a processor, by default this one's; from `many` words on it sorts by all bits."""
        made_for = target or host_target()
        self._code = Loaded(object_of(emit(made_for, many), made_for), tuple(_ARGUMENTS))
        self._words, self._sort, self._permute, self._permute_folded = (
            ctypes.CFUNCTYPE(None, *types)(self._code.address(name)) for name, types in _ARGUMENTS.items()
        )

    def words(self, key: np.ndarray, n: int) -> np.ndarray:
        """Return n words of a contiguous key's own bits, as `minicolumn.random.bits` has them."""
        words = np.empty(n, np.uint32)
        self._words(key.ctypes.data, n, words.ctypes.data)
        return words

    def argsort(self, words: np.ndarray) -> np.ndarray:
        """Return the stable argsort of random words, uint32 [n], as int32 [n]; of others it may be slow."""
        order, scratch = words.astype(np.uint32).view(np.int32), _scratch(len(words))
        self._sort(order.ctypes.data, len(order), scratch.ctypes.data)
        return order

    def permutation(self, key: np.ndarray, n: int) -> np.ndarray:
        """Return `minicolumn.random.permutation` of a contiguous key, uint32 [2]."""
        order, scratch = np.empty(n, np.int32), _scratch(n)
        self._permute(key.ctypes.data, n, order.ctypes.data, scratch.ctypes.data)
        return order

    def permutations(self, key: np.ndarray, first: int, count: int, n: int) -> np.ndarray:
        """Return `minicolumn.random.permutations` of a contiguous key, uint32 [2]."""
        orders, scratch = np.empty((count, n), np.int32), _scratch(n)
        step = max(1, _MOST_NUMBERS // max(n, 1))
        for start in range(0, count, step):
            some, rows = min(step, count - start), orders.ctypes.data + 4 * n * start
            self._permute_folded(key.ctypes.data, first + start, some, n, rows, scratch.ctypes.data)
        return orders


def _scratch(n: int) -> np.ndarray:
    """Return the memory that ordering n numbers takes beside the result."""
    return np.empty(_COUNTERS // 2 + 2 * n, np.uint64)


def emit(target: Target, many: int = MANY) -> str:
    """Return the text of the functions."""
    module = Module()
    _emit_sort(module, many, target.machine.lanes("i64"))
    _emit_draw(module, target.machine.lanes("i32"))
    _emit_words(module)
    _emit_permute(module)
    _emit_permute_folded(module)
    return str(module)


# The cipher -----------------------------------------------------------------------------------------------


def _emit_cipher(module: Module, lanes: int) -> Callable[..., tuple[Value, Value]]:
    """Define the encryption of so many pairs of counter words, and return what calls it.

    It is given a function, two key words and two counter words, and returns two words.
    """
    type = vector("i32", lanes)
    both = f"{{ {type}, {type} }}"
    names = ("k0", "k1", "a", "b")
    f = Function(module, f"cipher.{lanes}", [(n, type) for n in names], both, "internal nounwind")
    *key, a, b = (f.parameters[name] for name in names)
    words = (*key, f.op("xor", f.op("xor", *key), const(type, PARITY)))
    a, b = f.op("add", a, words[0]), f.op("add", b, words[1])
    for group in range(5):
        for rotation in ROTATIONS[group % 2]:
            a = f.op("add", a, b)
            b = f.op("xor", f.intrinsic("fshl", b, b, const(type, rotation)), a)
        a = f.op("add", a, words[(group + 1) % 3])
        b = f.op("add", b, f.op("add", words[(group + 2) % 3], const(type, group + 1)))
    pair = f.let(both, f"insertvalue {both} poison, {a}, 0")
    name = f.finish(f.let(both, f"insertvalue {pair}, {b}, 1"))

    def call(caller: Function, *words: Value) -> tuple[Value, Value]:
        found = caller.call(name, both, *words)
        return caller.let(type, f"extractvalue {found}, 0"), caller.let(type, f"extractvalue {found}, 1")

    return call


def _emit_draw(module: Module, lanes: int) -> None:
    """Define `void draw(i32 k0, i32 k1, i64 n, ptr row)`: n words of a key's own bits.

    The first words of all blocks come before the second ones, of which an odd n leaves the last out.
    """
    parameters = [("k0", "i32"), ("k1", "i32"), ("n", "i64"), ("row", "ptr")]
    f = Function(module, "draw", parameters, "void", "internal nounwind")
    p, type = f.parameters, vector("i32", lanes)
    n, row = p["n"], p["row"]
    key = [f.splat(p["k0"], lanes), f.splat(p["k1"], lanes)]
    blocks = f.op("lshr", f.op("add", n, index(1)), index(1))
    second, used = f.at(row, blocks, "i32"), f.op("sub", n, blocks)  # an odd n uses one second word less
    whole = f.op("sub", used, f.op("urem", used, index(lanes)))
    cipher = _emit_cipher(module, lanes)

    def encrypted(start: Value) -> tuple[Value, Value]:
        first = f.splat(f.convert("trunc", start, "i32"), lanes)
        number = f.op("add", first, const_lanes(type, range(lanes)))
        return cipher(f, *key, number, const(type, FOR_BITS))

    with f.loop(0, whole, lanes) as loop:
        a, b = encrypted(loop.counter)
        f.store(a, f.at(row, loop.counter, "i32"))
        f.store(b, f.at(second, loop.counter, "i32"))
        loop.next()
    with f.loop(whole, blocks, lanes) as loop:
        a, b = encrypted(loop.counter)
        for value, place, left in ((a, row, blocks), (b, second, used)):
            room = f.convert("trunc", f.op("sub", left, loop.counter), "i32")
            mask = f.compare("slt", const_lanes(type, range(lanes)), f.splat(room, lanes))
            f.store_masked(value, f.at(place, loop.counter, "i32"), mask)
        loop.next()
    f.finish()


def _emit_words(module: Module) -> None:
    f = Function(module, "words", [("key", "ptr"), ("n", "i64"), ("row", "ptr")], "void", "nounwind")
    p = f.parameters
    f.call("draw", "void", *_key(f), p["n"], p["row"])
    f.finish()


def _key(f: Function) -> list[Value]:
    return [f.load("i32", f.at(f.parameters["key"], k, "i32")) for k in range(2)]


def _emit_permute(module: Module) -> None:
    parameters = [("key", "ptr"), ("n", "i64"), ("row", "ptr"), ("scratch", "ptr")]
    f = Function(module, "permute", parameters, "void", "nounwind")
    p = f.parameters
    f.call("draw", "void", *_key(f), p["n"], p["row"])
    f.call("sort", "void", p["row"], p["n"], p["scratch"])
    f.finish()


def _emit_permute_folded(module: Module) -> None:
    numbers = [(name, "i64") for name in ("first", "count", "n")]
    parameters = [("key", "ptr"), *numbers, ("rows", "ptr"), ("scratch", "ptr")]
    f = Function(module, "permute_folded", parameters, "void", "nounwind")
    p, key = f.parameters, _key(f)
    cipher = _emit_cipher(module, 1)
    with f.loop(0, p["count"]) as loop:
        number = f.convert("trunc", f.op("add", p["first"], loop.counter), "i32")
        folded = cipher(f, *key, number, const("i32", FOR_FOLD))
        row = f.at(p["rows"], f.op("mul", loop.counter, p["n"]), "i32")
        f.call("draw", "void", *folded, p["n"], row)
        f.call("sort", "void", row, p["n"], p["scratch"])
        loop.next()
    f.finish()


# The sort -------------------------------------------------------------------------------------------------

# Moves a pair down to its place among those before it, which are in order.
_SINK = """define internal void @sink(ptr %pairs, i64 %from, i64 %pair) nounwind {
begin:
  br label %look
look:
  %k = phi i64 [ %from, %begin ], [ %before, %move ]
  %place = getelementptr inbounds i64, ptr %pairs, i64 %k
  %first = icmp eq i64 %k, 0
  br i1 %first, label %done, label %compare
compare:
  %before = sub nsw i64 %k, 1
  %below = getelementptr inbounds i64, ptr %pairs, i64 %before
  %other = load i64, ptr %below, align 8
  %less = icmp ult i64 %pair, %other
  br i1 %less, label %move, label %done
move:
  store i64 %other, ptr %place, align 8
  br label %look
done:
  store i64 %pair, ptr %place, align 8
  ret void
}"""


def _emit_sort(module: Module, many: int, lanes: int) -> None:
    """Define `void sort(ptr row, i64 n, ptr scratch)`, which replaces words by their stable argsort."""
    _emit_settle(module)
    f = Function(module, "sort", [("row", "ptr"), ("n", "i64"), ("scratch", "ptr")], "void", "nounwind")
    row, n, room = (f.parameters[name] for name in ("row", "n", "scratch"))
    size = f.op("sub", index(63), f.call("llvm.ctlz.i64", "i64", n, const("i1", False)))
    bits = f.intrinsic("smin", f.intrinsic("smax", size, index(1)), index(MOST_BITS))
    for passes, predicate in ((2, "slt"), (3, "sge")):
        with f.when(f.compare(predicate, n, index(many))):
            width = bits if passes == 2 else index(MOST_BITS)
            f.call(_emit_passes(module, passes, lanes), "void", row, n, room, width)
    f.finish()


def _emit_passes(module: Module, passes: int, lanes: int) -> str:
    """Define the sort by the leading digits of words, or by all of them where there are three."""
    parameters = [("row", "ptr"), ("n", "i64"), ("counters", "ptr"), ("bits", "i64")]
    f = Function(module, f"sort.{passes}", parameters, "void", "internal nounwind")
    row, n, counters, bits = f.parameters.values()
    pairs = f.at(counters, _COUNTERS, "i32")
    rooms = [pairs, f.at(pairs, n, "i64")]
    size = f.op("shl", index(1), bits)
    digits = _digits(f, counters, size, bits, passes)

    bytes = f.op("mul", size, index(4 * passes))
    f.call("llvm.memset.p0.i64", "void", counters, const("i8", 0), bytes, const("i1", False))
    with f.loop(0, n) as loop:
        word = f.convert("zext", f.load("i32", f.at(row, loop.counter, "i32")), "i64")
        for digit in digits:
            digit.take(word)
        loop.next()
    with f.loop(0, size, 1, [const("i32", 0)] * passes) as loop:
        totals = []
        for digit, total in zip(digits, loop.carried, strict=True):
            place = f.at(digit.counters, loop.counter, "i32")
            totals.append(f.op("add", total, f.load("i32", place)))
            f.store(total, place)
        loop.next(*totals)
    with f.loop(0, n) as loop:
        word = f.convert("zext", f.load("i32", f.at(row, loop.counter, "i32")), "i64")
        pair = f.op("or", f.op("shl", word, index(32)), loop.counter)
        f.store(pair, f.at(rooms[0], digits[0].take(word), "i64"))
        loop.next()
    for number, digit in enumerate(digits[1:]):
        source, target = rooms[number % 2], rooms[1 - number % 2]
        with f.loop(0, n) as loop:
            pair = f.load("i64", f.at(source, loop.counter, "i64"))
            f.store(pair, f.at(target, digit.take(f.op("lshr", pair, index(32))), "i64"))
            loop.next()
    _finish_order(f, rooms[(passes - 1) % 2], n, row, lanes)
    return f.finish()


class _Digit(NamedTuple):
    """Some bits of words, and how many words came with each value of them, or where the next goes."""

    f: Function
    counters: Value
    shift: Value
    mask: Value

    def take(self, word: Value) -> Value:
        """Count a word and return the count before."""
        f = self.f
        value = f.op("and", f.op("lshr", word, self.shift), self.mask)
        place = f.at(self.counters, value, "i32")
        before = f.load("i32", place)
        f.store(f.op("add", before, const("i32", 1)), place)
        return f.convert("zext", before, "i64")


def _digits(f: Function, counters: Value, size: Value, bits: Value, passes: int) -> list[_Digit]:
    """Return the digits that a word is sorted by, the last one first."""
    mask, shifts = f.op("sub", size, index(1)), [index(0)]
    if passes == 2:
        shifts = [f.op("sub", index(32), f.op("shl", bits, index(1)))]
    for _ in range(passes - 1):
        shifts.append(f.op("add", shifts[-1], bits))
    places = [f.at(counters, f.op("mul", size, index(k)), "i32") for k in range(passes)]
    return [_Digit(f, place, shift, mask) for place, shift in zip(places, shifts, strict=True)]


def _emit_settle(module: Module) -> None:
    """Define `void settle(ptr pairs, i64 from, i64 to)`: put some pairs in order with all before them."""
    module.functions["sink"] = _SINK
    parameters = [("pairs", "ptr"), ("from", "i64"), ("to", "i64")]
    f = Function(module, "settle", parameters, "void", "internal nounwind")
    pairs, start, stop = f.parameters.values()
    with f.loop(start, stop) as loop:
        place = f.at(pairs, loop.counter, "i64")
        pair, before = f.load("i64", place), f.load("i64", f.at(place, -1, "i64"))
        with f.when(f.compare("ult", pair, before)):
            f.call("sink", "void", pairs, loop.counter, pair)
        loop.next()
    f.finish()


def _finish_order(f: Function, pairs: Value, n: Value, row: Value, lanes: int) -> None:
    """Let pairs that stand before a smaller one change places, and write down the places they came from."""
    many = vector("i64", lanes)
    others = f.intrinsic("smax", f.op("sub", n, index(1)), index(0))
    whole = f.op("sub", others, f.op("urem", others, index(lanes)))
    end = f.op("add", whole, index(1))
    with f.loop(1, end, lanes) as loop:
        place = f.at(pairs, loop.counter, "i64")
        behind = f.compare("ult", f.load(many, place), f.load(many, f.at(place, -1, "i64")))
        with f.when(f.call(f"llvm.vector.reduce.or.v{lanes}i1", "i1", behind)):
            f.call("settle", "void", pairs, loop.counter, f.op("add", loop.counter, index(lanes)))
        loop.next()
    f.call("settle", "void", pairs, end, n)
    with f.loop(0, whole, lanes) as loop:
        found = f.load(many, f.at(pairs, loop.counter, "i64"))
        f.store(f.convert("trunc", found, "i32"), f.at(row, loop.counter, "i32"))
        loop.next()
    with f.loop(whole, n) as loop:
        pair = f.load("i64", f.at(pairs, loop.counter, "i64"))
        f.store(f.convert("trunc", pair, "i32"), f.at(row, loop.counter, "i32"))
        loop.next()
