"""See how networks learn: paths of descent, landscapes of the loss, one step of backpropagation by hand."""

from minicolumn.explain import surfaces
from minicolumn.explain.paths import Descent, descent
from minicolumn.explain.stationary import Stationary
from minicolumn.explain.surfaces import SURFACES, Surface

__all__ = [
    "SURFACES",
    "Descent",
    "Stationary",
    "Surface",
    "descent",
    "surfaces",
]
