"""Metric selection: which metrics go with a loss, and user-defined metrics."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from minicolumn.errors import DataError
from minicolumn.model.metrics import METRICS, scored, scores_for
from minicolumn.nn.losses import Loss
from minicolumn.nn.outputs import ClassOutputs, NumberOutputs
from minicolumn.registry import split_texts

Array = np.ndarray
LONGEST_NAME = 64


@final
@dataclass(frozen=True)
class Metric:
    """A user-defined metric, for the `metrics` of `fit` and `evaluate`.

    name                what it is called; `fit` records it as val_name
    function            (right answers, predictions, sample_weight=None) -> one number. Predictions are what
                        `predict` gives, which after a loss function of one's own are the raw outputs; both
                        are [rows] where there is one number a row. sample_weight is given where there is one
    higher_is_better    None says nothing: then no callback can watch it

    Differs             Keras' metrics are traced and averaged over batches; this is called once, on all rows.
                        scikit-learn's make_scorer takes the estimator; this takes predictions.

    >>> Metric("within_one", lambda y, p: float(np.mean(np.abs(y - p) < 1.0)), higher_is_better=True).name
    'within_one'
    """

    name: str
    function: Callable[..., float]
    higher_is_better: bool | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not 0 < len(self.name) <= LONGEST_NAME or self.name == "loss":
            expected = f"1 to {LONGEST_NAME} letters, and not 'loss'"
            raise DataError(f"Metric: name: expected {expected}, got {str(self.name)[:80]!r}")
        if not callable(self.function):
            found = type(self.function).__name__
            raise DataError(f"Metric: {self.name}: expected a function of (y, predictions), got a {found}")
        if self.higher_is_better not in (True, False, None):
            raise DataError(
                f"Metric: {self.name}: higher_is_better: expected True, False or None, "
                f"got {self.higher_is_better!r}"
            )

    def __call__(self, y: Array, predicted: Array, weight: Array | None) -> float:
        """Return the score; DataError where the function gives no number."""
        given = {} if weight is None else {"sample_weight": weight}
        found: Any = self.function(y, predicted, **given)
        if np.ndim(found) or np.asarray(found).dtype.kind not in "fiub":
            raise DataError(f"the metric {self.name!r} gave a {type(found).__name__}, expected one number")
        return float(found)


# What a user may give: a name, a record, a function, or a function with a name.
MetricLike = str | Metric | Callable[..., float] | tuple[str, Callable[..., float]]


def check_metrics(who: str, metrics: Any, loss: Loss | None) -> tuple[str | Metric, ...]:
    """Validate metrics: names that go with the loss, and records of own functions.

    metrics     one of, or a sequence of: names, `Metric` records, functions, pairs (name, function). Settings
                may follow a name, as in "f1:average=weighted", and a text may hold several: "accuracy,f1"
    loss        None for a function of one's own, with which no names go
    Errors      DataError for unknown names, for two of one name, and for what is none of these

    >>> check_metrics("fit", ["mae", "r2"], Loss("huber"))
    ('mae', 'r2')
    """
    single = isinstance(metrics, str) or callable(metrics) or _is_pair(metrics)
    if not single and not isinstance(metrics, Iterable):
        raise DataError(f"{who}: metrics is {metrics!r}, expected names, functions or pairs (name, function)")
    listed: Any = [metrics] if single else metrics
    each = [part for m in listed for part in (split_texts(m) if isinstance(m, str) else [m])]
    found = tuple(_metric(who, metric, loss) for metric in each)
    names = [name_of(metric) for metric in found]
    for name in names:
        if names.count(name) > 1:
            raise DataError(f"{who}: two metrics are called {name!r}; give one another name")
    return found


def _is_pair(value: Any) -> bool:
    """Return whether this is a (name, function) pair."""
    return isinstance(value, tuple) and len(value) == 2 and isinstance(value[0], str) and callable(value[1])


def _metric(who: str, metric: Any, loss: Loss | None) -> str | Metric:
    """Return one metric as a name or a record; DataError for what is none."""
    if isinstance(metric, str):
        return _known(who, metric, loss)
    if isinstance(metric, Metric):
        return metric
    if _is_pair(metric):
        return Metric(*metric)
    if isinstance(metric, type) or not callable(metric):
        raise DataError(
            f"{who}: metrics holds a {type(metric).__name__}, expected names, functions or "
            "mc.train.Metric records"
        )
    function: Callable[..., Any] = metric
    name = getattr(function, "__name__", "<lambda>")
    if name == "<lambda>":
        raise DataError(f"{who}: a metric's function has no name; give a pair ('name', function)")
    return Metric(name, function)


def _known(who: str, name: str, loss: Loss | None) -> str:
    """Return a metric's name if it goes with the loss; DataError, with the nearest name, for others."""
    if loss is None:
        raise DataError(
            f"{who}: named metrics need one of the losses in mc.nn.LOSSES; with an own loss function give "
            "own functions"
        )
    known, short = scores_for(loss.outputs), name[:LONGEST_NAME]
    if name in known:
        return name
    plain = METRICS.aliases.get(name.partition(":")[0], name.partition(":")[0])
    if plain not in known:
        what = "unknown metric" if plain not in METRICS else f"{loss.name} has no metric"
        raise DataError(f"{who}: {what} {short!r}{METRICS.hint(short, known)}; there are {', '.join(known)}")
    try:
        return METRICS.make(name).name
    except DataError as error:
        raise DataError(f"{who}: metrics: {error}") from None


def name_of(metric: str | Metric) -> str:
    """Return what a metric is called, in results and in the history."""
    return metric if isinstance(metric, str) else metric.name


def directions(metrics: Sequence[str | Metric], loss: Loss | None) -> dict[str, bool | None]:
    """Return for each metric, by name, whether higher is better; None where nobody knows.

    >>> directions(("mae", "r2"), Loss("huber"))
    {'mae': False, 'r2': True}
    """
    return {
        name_of(metric): (METRICS.make(metric) if isinstance(metric, str) else metric).higher_is_better
        for metric in metrics
    }


def measure(
    loss: Loss | None,
    y: Array,
    predicted: Array,
    weight: Array | None = None,
    metrics: Sequence[str | Metric] | None = None,
) -> dict[str, float]:
    """Evaluate metrics; those that these targets do not define are left out.

    loss        says what the predictions mean; None for an own function
    y           right answers, as the loss takes them
    predicted   what `predict` gave for their rows
    weight      [rows] or None; for own functions only
    metrics     what `check_metrics` returned; None takes the usual ones of the loss
    """
    if metrics is None:
        metrics = _usual(loss)
    found = _named(loss, [metric for metric in metrics if isinstance(metric, str)], y, predicted)
    for metric in metrics:
        if isinstance(metric, Metric):
            flat = y.reshape(len(y)) if y.size == len(y) and predicted.ndim == 1 else y
            found[metric.name] = metric(flat, predicted, weight)
    return {name: found[name] for name in map(name_of, metrics) if name in found}


def _usual(loss: Loss | None) -> tuple[str, ...]:
    """Return the names of the default metrics of a loss."""
    known = {} if loss is None else scores_for(loss.outputs)
    return tuple(name for name, score in known.items() if score.usual)


def _named(loss: Loss | None, names: Sequence[str], y: Array, predicted: Array) -> dict[str, float]:
    """Return the metrics with names of the registry, by name."""
    if loss is None or not names:
        return {}
    outputs = loss.outputs
    made = {name: METRICS.make(name).on(outputs) for name in names}
    if isinstance(outputs, ClassOutputs):
        return scored(made, names, _class_pairs(outputs, y, predicted))
    assert isinstance(outputs, NumberOutputs)
    wide = [name for name in names if made[name].of == "distributions"]
    numbers = [name for name in names if name not in wide]
    found = scored(made, numbers, [_number_pair(outputs, y, predicted)])
    if not wide:
        return found
    pair = y.astype(np.float64).reshape(len(y), 1), predicted.astype(np.float64).reshape(len(y), -1)
    return found | scored(made, wide, [pair])


def _number_pair(outputs: NumberOutputs, y: Array, predicted: Array) -> tuple[Array, Array]:
    """Return right and expected numbers in one shape."""
    expected = outputs.expected(predicted) if predicted.ndim > 1 else predicted
    return y.reshape(expected.shape).astype(np.float64), expected.astype(np.float64)


def _class_pairs(outputs: ClassOutputs, y: Array, predicted: Array) -> list[tuple[Array, Array]]:
    """Return codes and class scores: one pair, or one for each column of binary targets.

    There is none where the targets are probabilities.
    """
    if (y != np.floor(y)).any():
        return []
    codes, p = y.astype(np.int64), predicted.astype(np.float64)
    if outputs.task == "multiclass":
        return [(codes, p)] if codes.ndim == 1 else _from_rows(codes, p)
    columns = zip(codes.reshape(len(y), -1).T, p.reshape(len(y), -1).T, strict=True)
    return [(code, outputs.class_scores(column)) for code, column in columns]


def _from_rows(shares: Array, p: Array) -> list[tuple[Array, Array]]:
    """Return the pair of one-hot rows; probabilities that are none have no codes."""
    return [(np.argmax(shares, axis=1), p)] if (shares.sum(axis=1) == 1).all() else []
