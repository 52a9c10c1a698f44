"""Code in whose arithmetic subnormal numbers count as 0, which processors are far faster with.

What decides is a register of the thread. It is set where a program begins on a thread, put back where it
ends, and set as it usually is while Python does something for the program.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from minicolumn.lower.llvm.emit import Function, Module, Value, const

# MXCSR: results that are subnormal become 0 (bit 15), and so do operands (bit 6).
_X86_BITS = 1 << 15 | 1 << 6
# FPCR: both (bit 24).
_ARM_BITS = 1 << 24


def emit_flushing(module: Module, family: str, name: str, inner: str) -> None:
    """Write a function of `run`'s parameters, which calls another one with subnormal numbers as 0.

    The other must not be inlined: LLVM takes arithmetic to be the same before and after the register is set.
    """
    words = [("table", "ptr"), ("team", "ptr"), ("part", "i64"), ("parts", "i64")]
    f = Function(module, name, words, "void", "nounwind")
    control = _CONTROLS.get(family)
    before = control.read(f) if control else None
    if control and before:
        control.write(f, f.op("or", before, const(before.type, control.bits)))
    f.call(inner, "void", *f.parameters.values())
    if control and before:
        control.write(f, before)
    f.finish()


@contextmanager
def as_usual(f: Function, family: str) -> Iterator[None]:
    """Compute with subnormal numbers in what is emitted within: in Python's code, that is."""
    control = _CONTROLS.get(family)
    if control is None:
        yield
        return
    before = control.read(f)
    control.write(f, f.op("and", before, const(before.type, ~control.bits)))
    yield
    control.write(f, before)


class _X86:
    """MXCSR, which is read and written by way of memory."""

    bits = _X86_BITS

    @staticmethod
    def read(f: Function) -> Value:
        room = f.alloca("i32", 1, 4)
        f.call("llvm.x86.sse.stmxcsr", "void", room)
        return f.load("i32", room)

    @staticmethod
    def write(f: Function, value: Value) -> None:
        room = f.alloca("i32", 1, 4)
        f.store(value, room)
        f.call("llvm.x86.sse.ldmxcsr", "void", room)


class _Arm:
    """FPCR."""

    bits = _ARM_BITS

    @staticmethod
    def read(f: Function) -> Value:
        return f.call("llvm.aarch64.get.fpcr", "i64")

    @staticmethod
    def write(f: Function, value: Value) -> None:
        f.call("llvm.aarch64.set.fpcr", "void", value)


# Other processors compute as they do by themselves.
_CONTROLS: dict[str, type[_X86] | type[_Arm]] = {
    "x86_64": _X86, "amd64": _X86, "aarch64": _Arm, "arm64": _Arm,
}  # fmt: skip
