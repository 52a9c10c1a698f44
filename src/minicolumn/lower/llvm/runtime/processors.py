"""Processors that object code can be made for on any computer, by the first part of their triple.

Source      LLVM's lists of processors and features; the ABI names of RISC-V's ELF psABI
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from minicolumn.errors import DataError, did_you_mean
from minicolumn.lower.llvm.runtime.jit import Target
from minicolumn.lower.llvm.schedule.machine import AVX2, NEON, SSE2, Machine


@dataclass(frozen=True)
class Processor:
    """What code for a kind of processor may use.

    triple      that the name alone stands for
    word        bytes of an address
    """

    triple: str
    cpu: str
    features: str
    machine: Machine
    word: int = 8
    abi: str = ""


PROCESSORS: Mapping[str, Processor] = {
    "x86_64": Processor("x86_64-linux-gnu", "x86-64-v3", "", AVX2),
    "aarch64": Processor("aarch64-linux-gnu", "generic", "", NEON),
    "riscv64": Processor("riscv64-linux-gnu", "generic-rv64", "+m,+a,+f,+d,+c", SSE2, 8, "lp64d"),
    "thumbv7em": Processor("thumbv7em-none-eabi", "cortex-m4", "", SSE2, 4),
    "wasm32": Processor("wasm32-unknown-unknown", "generic", "", SSE2, 4),
}


def target_of(triple: str) -> tuple[Target, int]:
    """Return the target of a triple, or of its first part alone, and the bytes of an address there.

    Errors      DataError, with the nearest name, for a processor that is not in the list

    >>> target, word = target_of("thumbv7em-none-eabihf")
    >>> target.cpu, word
    ('cortex-m4', 4)
    """
    family = triple.split("-")[0]
    if family not in PROCESSORS:
        known = ", ".join(p.triple for p in PROCESSORS.values())
        raise DataError(
            f"export: no object code for {triple!r:.60}{did_you_mean(family, PROCESSORS)}; expected {known}"
        )
    found = PROCESSORS[family]
    whole = triple if "-" in triple else found.triple
    return Target(_whole(whole), found.cpu, found.features, found.machine, found.abi, alone=True), found.word


def _whole(triple: str) -> str:
    """Return a triple with its vendor, which people leave out and LLVM's own parser does not miss.

    >>> _whole("thumbv7em-none-eabi")
    'thumbv7em-unknown-none-eabi'
    """
    parts = triple.split("-")
    return "-".join([parts[0], "unknown", *parts[1:]]) if parts[1:2] in (["none"], ["linux"]) else triple
