"""See how networks learn: paths of descent, landscapes of the loss, one step of backpropagation by hand."""

from minicolumn.explain import surfaces
from minicolumn.explain.backprop import BackpropReport, LayerStep, WeightStep, backprop_report
from minicolumn.explain.landscape import Footprints, Landscape, landscape
from minicolumn.explain.paths import Descent, descent
from minicolumn.explain.stationary import Stationary
from minicolumn.explain.surfaces import SURFACES, Surface, surface_by_name

__all__ = [
    "SURFACES",
    "BackpropReport",
    "Descent",
    "Footprints",
    "Landscape",
    "LayerStep",
    "Stationary",
    "Surface",
    "WeightStep",
    "backprop_report",
    "descent",
    "landscape",
    "surface_by_name",
    "surfaces",
]
