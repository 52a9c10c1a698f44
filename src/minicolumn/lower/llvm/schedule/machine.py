"""What the code is made for: vector width and caches of a processor, found from its features."""

from __future__ import annotations

from dataclasses import dataclass

from minicolumn.lower.llvm.codegen.emit import size_of, vector


@dataclass(frozen=True)
class Machine:
    """A processor as the lowerings see it.

    vector_bytes    of one register
    registers       vector registers
    l1, l2          bytes of data cache a core
    """

    vector_bytes: int
    registers: int
    l1: int = 32 * 1024
    l2: int = 512 * 1024

    @property
    def hides_masks(self) -> bool:
        """Return whether LLVM must not see that a mask is constant.

        With AVX-512 a masked store takes in the truncation before it, and LLVM 22 loses it again where only
        one constant lane is left: it stores that lane in full width, over what follows.
        """
        return self.vector_bytes == 64

    def lanes(self, element: str) -> int:
        """Return how many elements one register holds."""
        return self.vector_bytes // size_of(element)

    def vector(self, element: str) -> str:
        """Return the type that fills one register."""
        return vector(element, self.lanes(element))


AVX512 = Machine(64, 32, l2=1024 * 1024)
AVX2 = Machine(32, 16)
NEON = Machine(16, 32, l1=64 * 1024)
SSE2 = Machine(16, 16)


def machine_for(architecture: str, features: set[str]) -> Machine:
    """Return the machine with these features, as LLVM names them.

    >>> machine_for("x86_64", {"avx2", "fma"}).lanes("float")
    8
    """
    if architecture.startswith(("aarch64", "arm64")):
        return NEON
    if "avx512f" in features:
        return AVX512
    return AVX2 if {"avx2", "fma"} <= features else SSE2
