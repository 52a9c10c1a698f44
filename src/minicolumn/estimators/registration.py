"""Registration of NumPy's functions and LLVM at import, before a first `fit`.

Whoever imports an estimator will fit it. It takes some forty milliseconds either way, which within `fit`
would be half of what a hundred rows take. Importing this module is all there is to it.
"""

from __future__ import annotations

from contextlib import suppress

import minicolumn.lower.native
import minicolumn.trace.numpy_map  # noqa: F401

with suppress(ImportError, OSError):  # it may be missing, which the first fit says in its own words
    import llvmlite.binding  # noqa: F401
