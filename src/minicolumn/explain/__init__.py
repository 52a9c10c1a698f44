"""Visual explanations of training: optimizer trajectories, loss landscapes, backpropagation step by step.

    mc.descent(f, starts)                   paths of an optimizer on a function of two variables, with the
                                            stationary points they reach; table, picture, animation
    mc.landscape(model, X, y)               the loss on a plane through a network's weights
    mc.backprop_report(network, params, X, y)   one step of gradient descent with all its numbers
    mc.explain.surfaces                     test functions: Rosenbrock, Himmelblau, Beale, Rastrigin ...
    mc.TrajectoryRecorder                   a callback that keeps the weights of each epoch for `landscape`

`landscape` and `backprop_report` take models, runs of `fit` and fitted estimators alike.
"""

from minicolumn.explain import surfaces
from minicolumn.explain.backprop import BackpropReport, LayerStep, WeightStep, backprop_report
from minicolumn.explain.landscape import Landscape, TrajectoryRecorder, landscape
from minicolumn.explain.paths import Descent, descent
from minicolumn.explain.stationary import Stationary
from minicolumn.explain.surfaces import SURFACES, Surface, surface_by_name

__all__ = [
    "SURFACES",
    "BackpropReport",
    "Descent",
    "Landscape",
    "LayerStep",
    "Stationary",
    "Surface",
    "TrajectoryRecorder",
    "WeightStep",
    "backprop_report",
    "descent",
    "landscape",
    "surface_by_name",
    "surfaces",
]
