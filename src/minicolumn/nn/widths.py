"""Rules by which the widths of hidden layers follow from one number."""

from __future__ import annotations

_MULTIPLE = 4  # widths that follow from another one are multiples of it, so that shapes repeat
SHAPES = ("constant", "funnel", "pyramid")


def shaped(shape: str, width: int, layers: int) -> tuple[int, ...]:
    """Return the units of each hidden layer.

        constant    w, w, w         funnel      w, w/2, w/4         pyramid     w, 2w/3, w/3

    What is not the width itself is rounded to a multiple of 4, at least 4, or the width if that is less.

    >>> shaped("funnel", 64, 3), shaped("pyramid", 64, 3), shaped("constant", 64, 2)
    ((64, 32, 16), (64, 44, 20), (64, 64))
    """
    factors = {
        "constant": lambda place: 1.0,
        "funnel": lambda place: 0.5**place,
        "pyramid": lambda place: 1.0 - place / layers,
    }[shape]
    return tuple(_rounded(width * factors(place), width) for place in range(layers))


def _rounded(units: float, width: int) -> int:
    """Return a multiple of 4 near to some units; the width itself stays."""
    return width if units == width else min(width, max(_MULTIPLE, round(units / _MULTIPLE) * _MULTIPLE))
