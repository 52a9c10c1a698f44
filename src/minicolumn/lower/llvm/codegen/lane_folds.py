"""Folds along the lanes of vectors: many at a time share the work, by a butterfly.

    a b c d        a and b fold to          a+c b+d  ->  (a+c)+(b+d)
    e f g h        together:                e+g f+h      (e+g)+(f+h)

A lane is combined with the one half as many lanes away, then a quarter, and so on, whatever the company: so
a result has the same bits in any.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from minicolumn.lower.llvm.codegen.emit import Function, Value, element_of, lanes_of, size_of

Combine = Callable[[Function, Value, Value], Value]
CHUNK = 16  # bytes of a vector within which lanes change places in one cheap instruction
_NOTHING = -1


def fold_lanes(f: Function, values: Sequence[Value], combine: Combine, used: Value | None) -> list[Value]:
    """Return each vector's lanes combined to one.

    values      vectors of one type, of two lanes or more
    used        which lanes count, a mask whose first half is set; None for all
    """
    halved = []
    for value in values:
        low, high = f.halves(value)
        both = combine(f, low, high)
        halved.append(both if used is None else f.select(f.halves(used)[1], both, low))
    lanes = lanes_of(halved[0].type)
    if lanes == 1:
        return halved
    groups = [halved[k : k + lanes] for k in range(0, len(halved), lanes)]
    return [found for group in groups for found in _butterfly(f, group, combine)]


@dataclass(frozen=True)
class _Pack:
    """A vector with parts of several values, a run of lanes each: which value's run is where."""

    vector: Value
    runs: tuple[int, ...]


def _butterfly(f: Function, values: Sequence[Value], combine: Combine) -> list[Value]:
    """Fold at most as many vectors as each has lanes: two become one, whose runs are half as long."""
    packs = [_Pack(value, (k,)) for k, value in enumerate(values)]
    run = lanes_of(values[0].type)
    while run > 1:
        if len(packs) > 1 and len(packs) % 2:
            packs.append(_Pack(Value("poison", values[0].type), (_NOTHING,) * len(packs[0].runs)))
        packs = [_folded(f, packs[k : k + 2], run, combine) for k in range(0, len(packs), 2)]
        run //= 2
    found = {n: _lane(f, pack.vector, k) for pack in packs for k, n in enumerate(pack.runs)}
    return [found[n] for n in range(len(values))]


def _folded(f: Function, packs: Sequence[_Pack], run: int, combine: Combine) -> _Pack:
    """Combine the first half of each run with its second half, the runs of two vectors in one."""
    first, lanes = packs[0], lanes_of(packs[0].vector.type)
    chunk = CHUNK // size_of(element_of(first.vector.type))
    step, half = chunk if run <= chunk else lanes, run // 2
    low, runs = list[int](), list[int]()
    for start in range(0, lanes, step):
        for pack, offset in zip(packs, (0, lanes), strict=False):
            begins = range(start, min(start + step, lanes), run)
            runs += [pack.runs[begin // run] for begin in begins]
            low += [offset + begin + k for begin in begins for k in range(half)]
    if len(low) == 1:
        return _Pack(combine(f, f.lane(first.vector, 0), f.lane(first.vector, 1)), tuple(runs))
    other = packs[1].vector if len(packs) > 1 else None
    halves = (f.shuffle(first.vector, other, [k + shift for k in low]) for shift in (0, half))
    return _Pack(combine(f, *halves), tuple(runs))


def _lane(f: Function, vector: Value, number: int) -> Value:
    return vector if lanes_of(vector.type) == 1 else f.lane(vector, number)
