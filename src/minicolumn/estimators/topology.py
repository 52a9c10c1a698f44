"""Hidden layers of an estimator: listed, or by three plain parameters that searches can draw."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from minicolumn.errors import DataError
from minicolumn.estimators.network import hidden_sizes
from minicolumn.nn.widths import shaped
from minicolumn.registry import Integer

USUAL: ArrayLike = (100,)  # scikit-learn's
LAYERS = Integer(help="Hidden layers.", name="n_layers", ge=1, le=100)


def hidden_of(estimator: Any) -> tuple[int, ...]:
    """Return the units of each hidden layer of an estimator.

        hidden_layer_sizes                  or      n_layers (1), width (100), shape ("constant")

    Errors      DataError where both are said, or for sizes that cannot be

    >>> from minicolumn import MLPClassifier
    >>> hidden_of(MLPClassifier(n_layers=3, width=32, shape="funnel")), hidden_of(MLPClassifier())
    ((32, 16, 8), (100,))
    """
    said = {name: getattr(estimator, name) for name in ("n_layers", "width", "shape")}
    given = {name: value for name, value in said.items() if value is not None}
    listed = hidden_sizes(estimator.hidden_layer_sizes)
    if not given:
        return listed
    if listed != hidden_sizes(USUAL):
        names = " and ".join(given)
        shown = np.ravel(estimator.hidden_layer_sizes).tolist()
        raise DataError(f"hidden_layer_sizes={shown} and {names} both say how wide layers are; give one")
    usual = {"n_layers": 1, "width": hidden_sizes(USUAL)[0], "shape": "constant"} | given
    return shaped(str(usual["shape"]), int(usual["width"]), int(usual["n_layers"]))
