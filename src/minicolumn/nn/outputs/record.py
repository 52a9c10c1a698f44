"""The interface of output records, and the prediction intervals that outputs stand for."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from numbers import Real
from typing import ClassVar, Literal

import numpy as np

from minicolumn.errors import DataError, ShapeError
from minicolumn.nn.layer import Layer, Shape

Array = np.ndarray
Task = Literal["regression", "binary", "multiclass"]
# Of an interval scale zero and unit may be chosen, of a ratio scale the unit, of an absolute one neither
# (Stevens 1946, "On the theory of scales of measurement").
Measure = Literal["interval", "ratio", "absolute"]


@dataclass(frozen=True)
class Outputs(ABC):
    """What the outputs of a network mean. Predictions are its raw outputs after `activation`.

    kind        its name
    task        "regression", "binary" (yes or no, one or several a row) or "multiclass"
    activation  the output activation, by its name
    """

    kind: ClassVar[str]

    @property
    @abstractmethod
    def task(self) -> Task: ...

    @property
    def activation(self) -> str:
        """Return the name of what turns raw outputs into predictions."""
        return "linear"

    @property
    def average(self) -> str:
        """Return the name of what averages raw outputs so that predictions are; see `nn.layers.ensemble`."""
        return "numbers"

    @property
    def describes_one(self) -> bool:
        """Return whether all outputs on the last axis describe a single target."""
        return False

    def target_shape(self, output_shape: Shape) -> Shape:
        """Return the shape of a row's targets beside a row's outputs, both without the batch."""
        return output_shape[:-1] if self.describes_one else output_shape

    @abstractmethod
    def initial_bias(self, targets: Array, weight: Array | None, units: int) -> Array | None:
        """Return the last layer's biases by which all rows get the best prediction that is alike for all.

        Output-bias (prior) initialisation: training then learns what tells rows apart from its first step.

        targets     as the loss takes them, [rows, ...]
        weight      [rows]: a row of weight w counts as w equal ones; None for one each
        units       outputs of the network
        Returns     [units] raw outputs; None where no closed form is known
        Source      Lin, Goyal, Girshick, He & Dollar 2017 (arXiv 1708.02002), section 4.1
        """


@dataclass(frozen=True)
class NumberOutputs(Outputs, ABC):
    """Outputs that say something of numbers.

    measure     which zero and unit the numbers may be given: those of an "interval", a "ratio" or an
                "absolute" scale
    """

    @property
    def task(self) -> Task:
        return "regression"

    @property
    def measure(self) -> Measure:
        return "interval"

    @property
    def width(self) -> int:
        """Return how many outputs describe one number."""
        return 1

    @property
    def least_targets(self) -> int:
        """Return how many numbers a row must hold at least."""
        return 1

    @property
    def is_distribution(self) -> bool:
        """Return whether outputs tell the predictive uncertainty of a number too, not only what to expect."""
        return False

    @property
    def quantile_levels(self) -> tuple[float, ...]:
        """Return the levels whose quantiles are predicted, if any are."""
        return ()

    @property
    def interval_level(self) -> float | None:
        """Return the coverage of the widest prediction interval that outputs tell by themselves, or None."""
        return None

    @property
    def end(self) -> tuple[Layer, ...]:
        """Return the layers that a network needs behind its last dense one for outputs to be valid."""
        return ()

    def check(self, predictions: Array) -> None:
        """Refuse the predictions of a network, from a file perhaps, that do not describe one number a row."""
        if math.prod(predictions.shape[1:]) != self.width:
            raise DataError(
                f"the network gives {list(predictions.shape[1:])} numbers a row; outputs of the kind "
                f"{self.kind!r} describe one number by {self.width}"
            )

    def expected(self, predictions: Array) -> Array:
        """Return the number to expect of each target: predictions, or one place of their last axis."""
        return predictions

    def spread(self, predictions: Array) -> Array | None:
        """Return the standard deviation of each target, or None where outputs do not tell it."""
        return None

    def band(self, predictions: Array, coverage: float) -> Band:
        """Return the band that predictions [rows, outputs] stand for, as near to a coverage as they tell.

        Errors      DataError for a coverage outside (0, 1)
        """
        check_coverage(coverage)
        return Band(predictions, predictions)

    def widest_band(self, predictions: Array) -> Band:
        """Return the band of `interval_level`."""
        return Band(predictions, predictions)

    def middle(self, predictions: Array) -> Band | None:
        """Return the band of no width that conformal intervals widen, with the spread of each row.

        None where quantiles are told, which are intervals by themselves.
        """
        return Band(predictions, predictions)

    @property
    def lowest(self) -> float:
        """Return the least number that there is; -inf for none."""
        return -math.inf

    def described(
        self, predictions: Array, decode: Callable[[Array], Array], scale: float
    ) -> dict[str, Array]:
        """Return what predictions tell beside the number to expect, by name, [rows] each, in its unit.

        decode      from a number on the network's scale to the target's unit
        scale       the target's unit in that of the network, for differences
        """
        return {}


@dataclass(frozen=True)
class ClassOutputs(Outputs, ABC):
    """Outputs that speak for classes: one output each, or a single one for yes against no.

    threshold   above which a single output means yes
    """

    threshold: ClassVar[float]

    @property
    def describes_one(self) -> bool:
        return self.task == "multiclass"

    @property
    def are_probabilities(self) -> bool:
        """Return whether predictions are probabilities, not margins or scores."""
        return False

    @abstractmethod
    def opposite(self, yes: Array) -> Array:
        """Return what speaks for no where `yes` speaks for yes."""

    def class_scores(self, predictions: Array) -> Array:
        """Return what speaks for each class, [rows, classes]; of yes or no, no comes first.

        predictions     [rows] or [rows, 1] of yes or no, [rows, classes] otherwise

        >>> from minicolumn.nn.outputs import Probabilities
        >>> Probabilities("logistic").class_scores(np.array([0.25]))
        array([[0.75, 0.25]])
        """
        if predictions.ndim > 1 and predictions.shape[1] > 1:
            return predictions
        yes = predictions.reshape(-1)
        return np.stack([self.opposite(yes), yes], axis=1)

    def codes(self, predictions: Array) -> Array:
        """Return the class of each row as its number, int32 [rows]; the first of equals. Traceable.

        predictions     [rows, 1] of yes or no, [rows, classes] otherwise
        """
        single = predictions.shape[1] == 1
        found = predictions[:, 0] > self.threshold if single else np.argmax(predictions, axis=1)
        return found.astype(np.int32)


@dataclass(frozen=True, eq=False)
class Band:
    """What outputs say about where the truth lies, before anything is measured.

    lower, upper    [rows, outputs]
    scale           by what the band is widened, [rows, outputs] or 1
    is_whole        whether it has the coverage that was asked for, if the network is right
    """

    lower: Array
    upper: Array
    scale: Array | float = 1.0
    is_whole: bool = False

    def residuals(self, targets: Array) -> Array:
        """Return by how much the band would have to be wider to hold each target; less than 0 within it."""
        return np.maximum(self.lower - targets, targets - self.upper) / self.scale

    def covered(self, targets: Array, weight: Array | None = None) -> float:
        """Return the share of the targets, [rows, outputs], that lie within; weight: of the rows, [rows]."""
        return float(np.mean(np.average(self.residuals(targets) <= 0.0, axis=0, weights=weight)))

    def widened(self, radius: Array | float = 0.0) -> Array:
        """Return the ends, [rows, outputs, 2]; a band that narrows to less than nothing is its middle."""
        lower, upper = self.lower - radius * self.scale, self.upper + radius * self.scale
        middle = 0.5 * (lower + upper)
        return np.stack([np.minimum(lower, middle), np.maximum(upper, middle)], axis=-1)


def check_coverage(coverage: float) -> None:
    """Refuse a coverage outside (0, 1)."""
    if not isinstance(coverage, Real) or not 0 < coverage < 1:
        raise DataError(f"predict_interval: coverage must be a number between 0 and 1, got {coverage!r}")


def check_units(outputs: Outputs, found: int, units: int) -> None:
    """Refuse targets that ask for another number of outputs than the network has."""
    if found != units:
        raise ShapeError(
            f"initial_bias: {outputs.kind} outputs of these targets are {found}, the network has {units}"
        )
