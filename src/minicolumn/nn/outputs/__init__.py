"""Predictive distributions and point outputs: what outputs mean, one record a kind, which each loss declares.

Predictions, prediction intervals, scores, calibration and output-bias initialisation follow from it.
"""

from minicolumn.nn.outputs import statistics
from minicolumn.nn.outputs.classes import Margins, Probabilities
from minicolumn.nn.outputs.numbers import Direction, Normal, Point, Quantiles, Rate
from minicolumn.nn.outputs.record import Band, ClassOutputs, NumberOutputs, Outputs

__all__ = [
    "Band",
    "ClassOutputs",
    "Direction",
    "Margins",
    "Normal",
    "NumberOutputs",
    "Outputs",
    "Point",
    "Probabilities",
    "Quantiles",
    "Rate",
    "statistics",
]
