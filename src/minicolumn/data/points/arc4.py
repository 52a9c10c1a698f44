"""ARC4 (RC4) as a source of random numbers, seeded by a text: the stream that links name by their seed.

Links of TensorFlow Playground hold the seed of this stream. All data sets draw from it, so that a link means
the same points whoever opens it; one stream gives points, their order and, after them, first weights.
"""

from __future__ import annotations

import math
from decimal import ROUND_HALF_UP, Decimal

_SIZE, _LAST = 256, 255
_DIGITS = 2.0**52  # significant bits of a number


class Arc4:
    """Random numbers in [0, 1), each call the next: RC4-drop[256], to 52 significant bits.

        S = a permutation of 0..255, shuffled by the key
        i = i + 1,  j = j + S_i,  swap S_i and S_j;  out = S_(S_i + S_j)              all mod 256
        a number is six outputs over 2**48, lengthened by further outputs to 52 significant bits

    seed    any text; its UTF-16 code units are folded into a key of at most 256 bytes
    Source  RC4 as widely published (1994); key, drop and digits as in seedrandom 2.4 (David Bau)

    >>> random = Arc4("0.5")
    >>> random(), random()
    (0.49767758747058916, 0.8074465011135612)
    """

    def __init__(self, seed: str) -> None:
        key = _key(seed) or [0]
        self._state = state = list(range(_SIZE))
        self._i = self._j = j = 0
        for i in range(_SIZE):
            t = state[i]
            j = (j + key[i % len(key)] + t) & _LAST
            state[i], state[j] = state[j], t
        self._outputs(_SIZE)

    def __call__(self) -> float:
        """Return the next number."""
        n, d, x = float(self._outputs(6)), 2.0**48, 0
        while n < _DIGITS:
            n, d = (n + x) * _SIZE, d * _SIZE
            x = self._outputs(1)
        while n >= 2.0 * _DIGITS:  # too many bits: the last ones go
            n, d, x = n / 2.0, d / 2.0, x >> 1
        return (n + x) / d

    def uniform(self, low: float, high: float) -> float:
        """Return the next number, moved to [low, high)."""
        return self() * (high - low) + low

    def normal(self, mean: float, variance: float) -> float:
        """Draw from a normal distribution: the polar method, one of its two values.

        Source  Marsaglia & Bray 1964
        """
        while True:
            u, v = 2.0 * self() - 1.0, 2.0 * self() - 1.0
            s = u * u + v * v
            if 0.0 < s <= 1.0:
                return mean + math.sqrt(variance) * (math.sqrt(-2.0 * math.log(s) / s) * u)

    def shuffle(self, items: list) -> None:
        """Put a list in random order, in place.

        Source  Fisher & Yates 1938, from the end on (Durstenfeld 1964)
        """
        for left in range(len(items), 0, -1):
            at = int(self() * left)
            items[left - 1], items[at] = items[at], items[left - 1]

    def seed(self) -> str:
        """Draw the text of a new seed: a number with five decimals, a half rounded up.

        >>> Arc4("0.5").seed()
        '0.49768'
        """
        return str(Decimal(self()).quantize(Decimal("0.00001"), ROUND_HALF_UP))

    def _outputs(self, count: int) -> int:
        """Return the next outputs as one number, the first of them the highest."""
        state, i, j, number = self._state, self._i, self._j, 0
        for _ in range(count):
            i = (i + 1) & _LAST
            t = state[i]
            j = (j + t) & _LAST
            u = state[i] = state[j]
            state[j] = t
            number = number << 8 | state[(u + t) & _LAST]
        self._i, self._j = i, j
        return number


def _key(seed: str) -> list[int]:
    """Fold a text into at most 256 bytes: later letters fall on earlier bytes."""
    key: list[int] = []
    smear = 0
    units = seed.encode("utf-16-le", "surrogatepass")
    for place in range(len(units) // 2):
        at = place & _LAST
        unit = int.from_bytes(units[2 * place : 2 * place + 2], "little")
        if at < len(key):
            smear ^= key[at] * 19
            key[at] = (smear + unit) & _LAST
        else:
            key.append((smear + unit) & _LAST)
    return key
