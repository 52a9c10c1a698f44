"""Concretization errors: what to say when code from outside asks a traced array for its plain values."""

from __future__ import annotations

import sys

import numpy as np

from minicolumn.errors import TraceError

# SciPy functions that are written in Python, so that no protocol reaches the tracer.
_SCIPY = {
    "logsumexp": "np.logaddexp.reduce(x, axis=..., keepdims=...) is the same",
    "softmax": "np.exp(x - np.logaddexp.reduce(x, axis=-1, keepdims=True)) is the same",
    "log_softmax": "x - np.logaddexp.reduce(x, axis=-1, keepdims=True) is the same",
    "polygamma": "scipy.special.psi(x) is there, and its derivatives by mc.grad",
    "multigammaln": "the sum of scipy.special.gammaln(a - i / 2) over i = 0 ... d-1, plus "
    "d (d-1) / 4 * log(pi), is the same",
    "comb": "use the exponential of differences of scipy.special.gammaln",
    "factorial": "scipy.special.gamma(n + 1) is the same",
    "expm": "the functions of np.linalg are there",
    "solve_triangular": "np.linalg.solve is there",
    "cho_solve": "np.linalg.solve is there",
}
USUAL = (
    "NumPy functions take it as it is, so np.asarray(x) is not needed; for np.array([a, b]) write "
    "np.stack([a, b]), for plain[index] make plain an argument too, and build arrays with np.where or "
    "np.concatenate instead of assigning into them"
)


def advice() -> str:
    """Return what to write instead, from the SciPy function that is at work, if there is one."""
    frame = sys._getframe(1)
    module = function = ""
    while frame is not None:
        name = frame.f_globals.get("__name__", "")
        if name.startswith("scipy."):
            module, function = name, frame.f_code.co_name
            if function in _SCIPY:
                break
        elif module:
            break
        frame = frame.f_back
    if not module:
        return USUAL
    package = ".".join(part for part in module.split(".") if not part.startswith("_"))
    instead = _SCIPY.get(
        function, "write it with NumPy functions, or with those of scipy.special that are ufuncs"
    )
    return f"{package}.{function} is a Python function that works on plain arrays; {instead}"


def of_a_list() -> str:
    """Return what to write where NumPy is at work on a list of traced values, of which it does not ask us."""
    frame, name = sys._getframe(1), ""
    while frame is not None:
        module = frame.f_globals.get("__name__", "")
        if module.startswith("numpy."):
            name = frame.f_code.co_name
        elif not module.startswith("minicolumn."):
            break
        frame = frame.f_back
    if not hasattr(np, name):
        return ""
    return (
        f"np.{name} of traced values in a list, such as [x, y], takes them one by one without asking; "
        f"write np.{name}(np.stack([x, y]))"
    )


def refuse_arguments(name: str, **arguments: object) -> None:
    """Raise TraceError for the first argument of a NumPy function that was given, and cannot be traced."""
    for argument, value in arguments.items():
        if value is not None:
            raise TraceError(f"np.{name}({argument}=...) cannot be traced; leave {argument} out")
