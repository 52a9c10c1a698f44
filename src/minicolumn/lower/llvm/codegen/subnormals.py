"""Code in whose arithmetic subnormal numbers count as 0, which processors are far faster with.

What decides is a register of the thread. It is set where a program begins on a thread, put back where it
ends, and set as it usually is while Python does something for the program.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from minicolumn.lower.llvm.codegen.emit import Function, Module, Value, const

# MXCSR: results that are subnormal become 0 (bit 15), and so do operands (bit 6).
_X86_BITS = 1 << 15 | 1 << 6
# FPCR: both (bit 24).
_ARM_BITS = 1 << 24


def emit_flushing(module: Module, family: str, name: str, inner: Function) -> None:
    """Write a function that calls another one, with its parameters, with subnormal numbers as 0.

    The other must not be inlined: LLVM takes arithmetic to be the same before and after the register is set.
    """
    parameters = [(word.text.removeprefix("%"), word.type) for word in inner.parameters.values()]
    f = Function(module, name, parameters, "void", "nounwind")
    with _mode(f, family, flush=True):
        f.call(inner.name, "void", *f.parameters.values())
    f.finish()


def as_usual(f: Function, family: str) -> AbstractContextManager[None]:
    """Compute with subnormal numbers in what is emitted within: in Python's code, that is."""
    return _mode(f, family, flush=False)


@contextmanager
def _mode(f: Function, family: str, flush: bool) -> Iterator[None]:
    control = _CONTROLS.get(family)
    if control is None:
        yield
        return
    before = control.read(f)
    bits = control.bits if flush else ~control.bits
    control.write(f, f.op("or" if flush else "and", before, const(before.type, bits)))
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
