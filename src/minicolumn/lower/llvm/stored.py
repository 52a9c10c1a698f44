"""The object code of a text: from the disk if it is there, else made and put there."""

from __future__ import annotations

from minicolumn.lower.llvm.cache import ObjectCache, key_of
from minicolumn.lower.llvm.jit import Target, compile_object, versions


def object_of(text: str, target: Target, level: int = 2, cache: ObjectCache | None = None) -> bytes:
    """Return the object file of an LLVM text; see `compile_object`."""
    cache = cache or ObjectCache.default()
    key = key_of("text", text, target.identity, versions(), str(level))
    found = cache.get(key)
    if found is None:
        found = {}, compile_object(text, target, level)
        cache.put(key, *found)
    return found[1]
