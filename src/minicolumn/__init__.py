"""minicolumn: small neural networks from plain NumPy.

Importing it loads neither SciPy, scikit-learn nor polars; each part is loaded when it is first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from minicolumn.autodiff.derivatives import (
    grad,
    hessian,
    jacobian,
    jvp,
    stop_gradient,
    value_and_grad,
    vjp,
)
from minicolumn.errors import (
    DataError,
    DivergenceError,
    MinicolumnError,
    ModelFileError,
    ShapeError,
    TraceError,
)
from minicolumn.lower.compile import compile
from minicolumn.trace.loops import scan

__version__ = "0.1.0"
