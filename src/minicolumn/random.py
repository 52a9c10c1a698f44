"""Random numbers as pure functions of a key: the same key gives the same bits in every lowering.

A key is a ``uint32[2]``; nothing is remembered between calls. All arithmetic is on uint32 arrays of at
least one axis, because NumPy wraps those in silence and warns for scalars. Keys may be traced values;
shapes are fixed when the program is written.
"""

from __future__ import annotations

import math
import operator
import sys
from typing import TYPE_CHECKING, Any

import numpy as np

from minicolumn.errors import DataError, did_you_mean

if TYPE_CHECKING:
    from minicolumn.lower.llvm.codegen.shuffle import Shuffle

__all__ = [
    "STREAMS",
    "bernoulli",
    "bits",
    "fold_in",
    "fold_in_name",
    "key",
    "normal",
    "permutation",
    "permutations",
    "split",
    "stream",
    "threefry2x32",
    "uniform",
]

Array = np.ndarray
Shape = tuple[int, ...]

STREAMS = ("split", "init", "shuffle", "dropout", "noise")

_ROTATIONS = ((13, 15, 26, 6), (17, 29, 16, 24))
_PARITY, _WORD = 0x1BD11BDA, 0xFFFFFFFF
# The counter's second word says what a block is for, so a key's own bits, the keys folded out of it and the
# keys split off it never share a block.
_FOR_BITS, _FOR_FOLD, _FOR_SPLIT = 0, 1, 2


def __dir__() -> list[str]:
    return sorted(__all__)


def _rotate_left(x: Array, bits: int) -> Array:
    """Rotate each 32-bit word."""
    return (x << np.uint32(bits)) | (x >> np.uint32(32 - bits))


def threefry2x32(key: Array, counter: tuple[Array, Array]) -> tuple[Array, Array]:
    """Encrypt pairs of counter words under a key: the Threefry-2x32 block cipher with 20 rounds.

        a, b = a + b, rotate(b, r) ^ (a + b)       and every 4 rounds the next two key words are added

    key         uint32[2]
    counter     two uint32 arrays of one shape with at least one axis
    Returns     two uint32 arrays of that shape
    Source      Salmon, Moraes, Dror, Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3", section 3.3
    Differs     from JAX in how counters are dealt out, not in the cipher.

    >>> zero = np.zeros(1, np.uint32)
    >>> [f"{int(word[0]):08x}" for word in threefry2x32(np.zeros(2, np.uint32), (zero, zero))]
    ['6b200159', '99ba4efe']
    """
    first, second = key[0:1], key[1:2]
    words = (first, second, first ^ second ^ np.uint32(_PARITY))
    a, b = counter[0] + words[0], counter[1] + words[1]
    for group in range(5):
        for rotation in _ROTATIONS[group % 2]:
            a = a + b
            b = _rotate_left(b, rotation) ^ a
        a = a + words[(group + 1) % 3]
        b = b + words[(group + 2) % 3] + np.uint32(group + 1)
    return a, b


def _block(first: int, second: int, low: int, high: int) -> tuple[int, int]:
    """Encrypt one pair of counter words: `threefry2x32` in Python's integers, a tenth of NumPy's time."""
    words, a, b = (first, second, first ^ second ^ _PARITY), low + first, high + second
    for group in range(5):
        for rotation in _ROTATIONS[group % 2]:
            a, b = (a + b) & _WORD, b & _WORD
            b = ((b << rotation | b >> (32 - rotation)) & _WORD) ^ a
        a = a + words[(group + 1) % 3] & _WORD
        b = b + words[(group + 2) % 3] + group + 1 & _WORD
    return a, b


def fnv1a(name: str) -> int:
    """Hash a name to 32 bits, the same on every machine and in every release.

        h = 2166136261;  for each UTF-8 byte:  h = (h xor byte) * 16777619 mod 2**32

    Source      Fowler, Noll, Vo: FNV-1a, 32 bits (RFC 9923)
    Differs     from ``hash``, which is salted anew in each process.

    >>> hex(fnv1a("foobar"))
    '0xbf9cf968'
    """
    value = 2166136261
    for byte in name.encode():
        value = (value ^ byte) * 16777619 % 2**32
    return value


def key(seed: int) -> Array:
    """Turn a seed into a key: its high and its low 32 bits.

    seed        an integer, 0 <= seed < 2**64
    Returns     uint32[2]
    Errors      DataError for anything else

    >>> key(7)
    array([0, 7], dtype=uint32)
    """
    try:
        number = operator.index(seed)
    except TypeError:
        raise DataError(f"seed must be an integer, got {seed!r}") from None
    if not 0 <= number < 2**64:
        raise DataError(f"seed must lie in 0 .. 2**64 - 1, got {number}")
    return np.array([number >> 32, number & 0xFFFFFFFF], np.uint32)


def stream(seed: int, name: str) -> Array:
    """Return the key of one named stream, so that using one stream never moves another.

    name        one of ``STREAMS``: split, init, shuffle, dropout, noise
    Returns     uint32[2]
    Errors      DataError for an unknown name

    >>> bool(np.all(stream(0, "init") == stream(0, "dropout")))
    False
    """
    if name not in STREAMS:
        raise DataError(f"unknown random stream {name!r}{did_you_mean(name, STREAMS)}")
    return fold_in_name(key(seed), name)


def _must_be_key(who: str, key: Any) -> None:
    """Refuse an array that is no key: other dtypes would be computed with, and give no random numbers."""
    if isinstance(key, np.ndarray | np.generic | list | tuple | int | float):
        dtype, shape = getattr(key, "dtype", None), getattr(key, "shape", None)
        if dtype != np.uint32 or shape != (2,):
            found = f"{dtype}{list(shape)}" if shape is not None else f"a {type(key).__name__}"
            raise DataError(f"{who}: a key is uint32[2], as mc.random.key(seed) gives it; got {found}")


def _must_be_count(who: str, n: Any) -> None:
    if not isinstance(n, int | np.integer) or isinstance(n, bool) or n < 0:
        raise DataError(f"{who}: a number of entries is an integer from 0, got {n!r:.60}")


def fold_in(key: Array, n: Any) -> Array:
    """Derive a key from a key and a number, such as a step or a layer's position.

    key         uint32[2]
    n           int in 0 .. 2**32 - 1, or a (traced) integer scalar
    Returns     uint32[2]

    >>> fold_in(key(0), 3).shape
    (2,)
    """
    _must_be_key("fold_in", key)
    if isinstance(n, int):
        if not 0 <= n < 2**32:
            raise DataError(f"fold_in: the number must lie in 0 .. 2**32 - 1, got {n}")
        if isinstance(key, np.ndarray):
            return np.array(_block(int(key[0]), int(key[1]), n, _FOR_FOLD), np.uint32)
        word = np.array([n], np.uint32)
    else:
        word = n.astype(np.uint32).reshape((1,))
    return np.concatenate(threefry2x32(key, (word, np.full(1, _FOR_FOLD, np.uint32))))


def fold_in_name(key: Array, name: str) -> Array:
    """Derive a key from a key and a name: ``fold_in(key, fnv1a(name))``.

    >>> bool(np.all(fold_in_name(key(0), "init") == stream(0, "init")))
    True
    """
    return fold_in(key, fnv1a(name))


def split(key: Array, n: int = 2) -> Array:
    """Derive ``n`` keys from one, unrelated to each other and to it.

    Returns     uint32[n, 2]

    >>> split(key(0), 3).shape
    (3, 2)
    """
    _must_be_key("split", key)
    _must_be_count("split", n)
    index = np.arange(n, dtype=np.uint32)
    first, second = threefry2x32(key, (index, np.full(n, _FOR_SPLIT, np.uint32)))
    return np.concatenate([first.reshape((n, 1)), second.reshape((n, 1))], axis=1)


def _blocks(key: Array, count: int) -> tuple[Array, Array]:
    """Return the first ``count`` blocks of a key's own bits, as two words each."""
    native = _NATIVE.loaded(key, 2 * count)
    if native is not None:
        words = native.words(np.ascontiguousarray(key), 2 * count)
        return words[:count], words[count:]
    return threefry2x32(key, (np.arange(count, dtype=np.uint32), np.full(count, _FOR_BITS, np.uint32)))


def bits(key: Array, shape: Shape) -> Array:
    """Draw 32 random bits for each entry.

    key         uint32[2]
    Returns     uint32[shape]

    >>> bits(key(0), (2, 3)).dtype
    dtype('uint32')
    """
    _must_be_key("bits", key)
    for n in shape:
        _must_be_count("bits", n)
    count = math.prod(shape)
    half = (count + 1) // 2
    words = np.concatenate(_blocks(key, half))
    return (words if count == 2 * half else words[:count]).reshape(shape)


def _check_float(dtype: Any) -> np.dtype:
    """Return the dtype if uniform draws exist for it."""
    found = np.dtype(dtype)
    if found not in (np.dtype(np.float32), np.dtype(np.float64)):
        raise DataError(f"random numbers are drawn as float32 or float64, not {found}")
    return found


def uniform(key: Array, shape: Shape, dtype: Any = np.float32) -> Array:
    """Draw from the uniform distribution on [0, 1).

        float32: (bits >> 8) / 2**24          float64: ((a >> 5) * 2**26 + (b >> 6)) / 2**53

    Every multiple of 2**-24 (2**-53) in [0, 1) is equally likely and 1 is never drawn.

    key         uint32[2]
    Returns     dtype[shape]
    Errors      DataError if dtype is neither float32 nor float64
    Source      Matsumoto & Nishimura, genrand_res53 (the float64 form)

    >>> u = uniform(key(0), (1000,))
    >>> bool((u >= 0).all() and (u < 1).all())
    True
    """
    if _check_float(dtype) == np.float32:
        return (bits(key, shape) >> np.uint32(8)).astype(np.float32) * 2.0**-24
    _must_be_key("uniform", key)
    high, low = _blocks(key, math.prod(shape))
    high = (high >> np.uint32(5)).astype(np.float64)
    low = (low >> np.uint32(6)).astype(np.float64)
    return ((high * 2.0**26 + low) * 2.0**-53).reshape(shape)


def normal(key: Array, shape: Shape, dtype: Any = np.float32) -> Array:
    """Draw from the standard normal distribution.

        r = sqrt(-2 log(1 - u)),  a = 2 pi v;      r cos(a), r sin(a)      with u, v uniform on [0, 1)

    The largest value is sqrt(-2 log 2**-24) = 5.77 in float32 and 8.57 in float64.

    key         uint32[2]
    Returns     dtype[shape]
    Source      Box & Muller 1958
    Differs     NumPy uses a ziggurat, which rejects and so cannot be one fixed graph.

    >>> z = normal(key(0), (10000,))
    >>> bool(abs(z.mean()) < 0.03 and abs(z.std() - 1) < 0.03)
    True
    """
    count = math.prod(shape)
    half = (count + 1) // 2
    u = uniform(key, (2 * half,), dtype)
    # 1 - u lies in (0, 1], so the logarithm is finite.
    radius, angle = np.sqrt(-2.0 * np.log(1.0 - u[:half])), (2.0 * math.pi) * u[half:]
    z = np.concatenate([radius * np.cos(angle), radius * np.sin(angle)])
    return (z if count == 2 * half else z[:count]).reshape(shape)


def bernoulli(key: Array, p: Any, shape: Shape) -> Array:
    """Draw True with probability ``p``, to a resolution of 2**-24.

    p           a number or a (traced) array that broadcasts to ``shape``; 0 is never and 1 always True
    Returns     bool[shape]

    >>> float(bernoulli(key(0), 0.25, (100_000,)).mean().round(2))
    0.25
    """
    return uniform(key, shape) < p


def permutation(key: Array, n: int) -> Array:
    """Draw an order of ``0 .. n - 1``: the stable argsort of ``n`` random words.

    Words that agree keep their order; of a million, about a hundred pairs agree.

    Returns     int32[n]

    >>> sorted(permutation(key(0), 5).tolist())
    [0, 1, 2, 3, 4]
    """
    _must_be_key("permutation", key)
    _must_be_count("permutation", n)
    native = _NATIVE.shuffle(key, 1, n)
    if native is not None:
        return native.permutation(np.ascontiguousarray(key), n)
    words = bits(key, (n,))
    if isinstance(words, np.ndarray):
        return _order(words)
    return np.argsort(words, kind="stable").astype(np.int32)


def permutations(key: Array, first: int, count: int, n: int) -> Array:
    """Return ``permutation(fold_in(key, i), n)`` for so many i from ``first`` on, in one native call.

    Where machine code cannot be made, or is not worth loading yet, it is a few NumPy calls.

    Returns     int32[count, n]

    >>> stack = permutations(key(0), 1, 2, 5)
    >>> bool((stack[1] == permutation(fold_in(key(0), 2), 5)).all())
    True
    """
    _must_be_key("permutations", key)
    for number in (first, count, n):
        _must_be_count("permutations", number)
    native = _NATIVE.shuffle(key, count, n)
    if native is not None and 0 <= first <= 2**32 - count:
        return native.permutations(np.ascontiguousarray(key), first, count, n)
    numbers = np.arange(first, first + count, dtype=np.uint32)
    keys = np.stack(threefry2x32(key, (numbers, np.full(count, _FOR_FOLD, np.uint32))))
    half = (n + 1) // 2
    counter = np.arange(half, dtype=np.uint32)[None], np.full((1, half), _FOR_BITS, np.uint32)
    words = np.concatenate(threefry2x32(keys[:, :, None], counter), axis=2)[0, :, :n]
    return _order(words)


def _order(words: Array) -> Array:
    """Return the stable argsort along the last axis, by the lower half of the bits and then by the upper.

    NumPy sorts 16 bits by counting; that twice takes half to two thirds of the time of any other order.
    """
    low, high = words.astype(np.uint16), (words >> np.uint32(16)).astype(np.uint16)
    first = np.argsort(low, axis=-1, kind="stable")
    second = np.argsort(np.take_along_axis(high, first, -1), axis=-1, kind="stable")
    return np.take_along_axis(first, second, -1).astype(np.int32)


class _Native:
    """Machine code for bits and permutations, loaded once NumPy has ordered so much that it would pay."""

    def __init__(self) -> None:
        self._ordered = 0
        self._shuffle: Shuffle | None = None

    def shuffle(self, key: Any, count: int, n: int) -> Shuffle | None:
        """Return what makes so many permutations of n; None where that is for NumPy, or for a graph."""
        if self._shuffle is None and count > 0 and _is_key(key):
            self._ordered += count * n + _CALL
            if self._ordered > _price():
                self._shuffle = _loaded()
        return self.loaded(key, n) if count > 0 else None

    def loaded(self, key: Any, n: int) -> Shuffle | None:
        """Return what draws so many words of a key, if it is there already; None for a graph."""
        return self._shuffle if 1 <= n < 2**31 and _is_key(key) else None


# What a call of NumPy's way costs besides, in numbers.
_CALL = 2500


def _is_key(key: Any) -> bool:
    """Return whether this is a key, and not one that is traced."""
    return type(key) is np.ndarray and key.dtype == np.uint32 and key.shape == (2,)


def _price() -> int:
    """Return how many numbers NumPy orders, at 30 ns each, in the time that loading takes.

    That is 2 milliseconds where LLVM is there already, and 50 where it is not.
    """
    return 1 << 16 if "minicolumn.lower.native" in sys.modules else 3 << 19


def _loaded() -> Shuffle | None:
    from minicolumn.lower.llvm.runtime.jit import available

    if not available():
        return None
    from minicolumn.lower.llvm.codegen.shuffle import Shuffle

    return Shuffle()


_NATIVE = _Native()
