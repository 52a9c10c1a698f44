"""What comes of a hundred thousand bad entries: `python tests/lower/llvm/long_cache.py [entries]`."""

from __future__ import annotations

import logging
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from minicolumn.lower.llvm.runtime.cache import ObjectCache, key_of

HEADER, CODE = {"names": ["run"]}, bytes(range(256)) * 8


def cut(whole: bytes, dice: random.Random) -> bytes:
    """Lose the end."""
    return whole[: dice.randrange(len(whole))]


def flip(whole: bytes, dice: random.Random) -> bytes:
    """Turn a bit over."""
    bad = bytearray(whole)
    bad[dice.randrange(len(bad))] ^= 1 << dice.randrange(8)
    return bytes(bad)


def swap(whole: bytes, dice: random.Random) -> bytes:
    """Exchange two blocks."""
    a, b = sorted(dice.sample(range(len(whole) - 16), 2))
    bad = whole[:a] + whole[b : b + 16] + whole[a + 16 : b] + whole[a : a + 16] + whole[b + 16 :]
    return bad if bad != whole else whole[:-1]


def lengths(whole: bytes, dice: random.Random) -> bytes:
    """Write other lengths, many of them huge."""
    return whole[:12] + dice.choice([dice.randbytes(12), b"\xff" * 12, bytes(12)]) + whole[24:]


def garbage(whole: bytes, dice: random.Random) -> bytes:
    """Be something else, perhaps with the right beginning."""
    return whole[: dice.choice([0, 8, 12, 88])] + dice.randbytes(dice.randrange(4096))


def grow(whole: bytes, dice: random.Random) -> bytes:
    """Have more bytes than one should."""
    return whole + dice.randbytes(dice.randrange(1, 64))


def main() -> None:
    """Write bad entries one by one, and count how each was taken."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    warnings: list[str] = []
    logger, dice, seen = logging.getLogger("minicolumn"), random.Random(1), Counter[str]()
    handler = logging.Handler()
    handler.emit = lambda record: warnings.append(record.getMessage())
    logger.addHandler(handler)
    logger.propagate = False
    with tempfile.TemporaryDirectory() as place:
        cache, key, other = ObjectCache(Path(place) / "native"), key_of("a"), key_of("b")
        cache.put(key, HEADER, CODE)
        cache.put(other, HEADER, CODE)
        path, stranger = (Path(place) / "native" / f"{k}.obj" for k in (key, other))
        whole, kinds = path.read_bytes(), [cut, flip, swap, lengths, garbage, grow]
        foreign, start = stranger.read_bytes(), time.perf_counter()
        for iteration in range(count):
            kind = dice.choice(kinds)
            path.write_bytes(foreign if iteration % 7 == 0 else kind(whole, dice))
            path.chmod(0o600)
            try:
                found = cache.get(key)
                seen["refused" if found is None else "USED"] += 1
            except BaseException as error:
                seen[f"RAISED {type(error).__name__}"] += 1
            seen["LEFT IN PLACE"] += path.exists()
        seconds = time.perf_counter() - start
        path.write_bytes(whole)
        seen["good entry used afterwards"] += cache.get(key) == (HEADER, CODE)
    print(f"{count} bad entries in {seconds:.1f} s; {len(warnings)} warnings; {dict(seen)}")


if __name__ == "__main__":
    main()
