"""Multi-task heads: several outputs on one body, and the loss that adds up what each head lost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Real
from typing import Any, final

import numpy as np

from minicolumn.errors import DataError, ShapeError, did_you_mean
from minicolumn.nn.activations import activation_by_name
from minicolumn.nn.layer import Array, Composite, Layer, Params, Shape, Visit
from minicolumn.nn.layers.containers import Sequential, joined_shape, side_by_side
from minicolumn.nn.layers.dense import Dense
from minicolumn.nn.losses import Loss, as_loss
from minicolumn.registry import refuse, settle

MAX_NAME = 64


def _outputs(head: Layer) -> int:
    """Return how many outputs a head has, 0 if it does not say so itself."""
    last = head.layers[-1] if isinstance(head, Sequential) and head.layers else head
    return last.units if isinstance(last, Dense) else 0


@final
@dataclass(frozen=True, repr=False, init=False)
class Heads(Composite):
    """Answer several questions about the same input: one head each, their outputs side by side.

        y = [first head(x) | second head(x) | ...]        along the last axis, in the order given

    heads       name=layer: a `Dense`, or a `Sequential` that ends in one, so that ``slices`` are known
    params      ``{name: params of that head}``
    key         head ``i`` draws from ``fold_in(key, i)``
    Errors      DataError for no head at all, an argument that is none, or a name that is no Python name
    Source      Caruana 1997, "Multitask learning"

    >>> heads = Heads(price=Dense(1), kind=Dense(3))
    >>> heads.output_shape((5,)), heads.slices
    ((4,), {'price': slice(0, 1, None), 'kind': slice(1, 4, None)})
    """

    heads: tuple[tuple[str, Layer], ...]

    def __init__(self, /, **heads: Layer) -> None:
        settle(self, "heads", tuple(heads.items()))
        if not heads:
            refuse(self, "heads", "at least one, as in Heads(price=Dense(1))")
        for name, head in heads.items():
            if not name.isidentifier() or len(name) > MAX_NAME:
                raise DataError(f"Heads: {name[:MAX_NAME]!r} is no name; use letters, digits and _")
            if not isinstance(head, Layer) or not _outputs(head):
                raise DataError(
                    f"Heads: {name} is {head!r}, expected a Dense, or a Sequential that ends in one"
                )

    def __repr__(self) -> str:
        return f"Heads({', '.join(f'{name}={head!r}' for name, head in self.heads)})"

    @property
    def operations(self) -> int:
        return 1 + len(self.heads)

    @property
    def slices(self) -> dict[str, slice]:
        """Where each head's outputs lie on the last axis."""
        return _slices({name: _outputs(head) for name, head in self.heads})

    def output_shape(self, input_shape: Shape) -> Shape:
        return joined_shape(self, input_shape)

    def declare(self, input_shape: Shape) -> Params:
        self.output_shape(input_shape)
        return {name: head.declare(input_shape) for name, head in self.heads}

    @property
    def inside(self) -> tuple[tuple[str, Layer], ...]:
        return self.heads

    def through(self, visit: Visit, params: Params, x: Array, key: Array | None) -> tuple[Array, Params]:
        return side_by_side(self, visit, params, x, key)

    def moved_through(self, visit: Visit, params: Any, columns: Array) -> Array:
        return self.through(visit, params, columns, None)[0]


def _slices(widths: Mapping[str, int]) -> dict[str, slice]:
    """Return where each part lies if all are laid side by side."""
    ends = np.cumsum(list(widths.values())).tolist()
    return {name: slice(end - width, end) for (name, width), end in zip(widths.items(), ends, strict=True)}


@final
@dataclass(frozen=True, init=False)
class HeadsLoss:
    """Add up what the heads lost, each by its own loss: the loss of a network that ends in `Heads`.

        sum over heads of  weight * loss(that head's outputs, that head's targets)

    heads           the heads that the network ends in
    losses          head's name -> name of a loss in ``LOSSES``, or a `Loss` with its settings
    weights         head's name -> factor > 0; 1 where none is given
    outputs         [batch, all heads' outputs]
    targets         [batch, all heads' targets], as ``targets`` makes them
    sample_weight   [batch], or None for all alike
    Errors          DataError for a head without a loss, a loss without a head, or weights that are not > 0;
                    ShapeError where outputs or targets do not fit the heads

    >>> heads = Heads(price=Dense(1), kind=Dense(3))
    >>> loss = HeadsLoss(heads, {"price": "squared_error", "kind": "softmax_cross_entropy"}, {"kind": 0.5})
    >>> y = loss.targets(price=np.array([0.0, 1.0]), kind=np.array([2, 0]))
    >>> float(loss(np.zeros((2, 4)), y).round(4))        # (0 + 1) / 2 + log(3) / 2
    1.0493
    """

    heads: Heads
    losses: tuple[Loss, ...]
    weights: tuple[float, ...]

    def __init__(
        self, heads: Heads, losses: Mapping[str, str | Loss], weights: Mapping[str, float] | None = None
    ) -> None:
        settle(self, "heads", heads)
        if not isinstance(heads, Heads):
            refuse(self, "heads", "the Heads that the network ends in")
        names = [name for name, _ in heads.heads]
        _check_heads("losses", losses, names)
        _check_heads("weights", weights or {}, names)
        if missing := [name for name in names if name not in losses]:
            raise DataError(f"HeadsLoss: losses: the head {missing[0]!r} has none")
        settle(self, "losses", tuple(_record(name, losses[name]) for name in names))
        settle(self, "weights", tuple((weights or {}).get(name, 1.0) for name in names))
        if not all(isinstance(weight, Real) and 0 < weight < np.inf for weight in self.weights):
            refuse(self, "weights", "finite numbers > 0")
        settle(self, "weights", tuple(map(float, self.weights)))

    @property
    def _records(self) -> dict[str, Loss]:
        return dict(zip((name for name, _ in self.heads.heads), self.losses, strict=True))

    @property
    def _columns(self) -> dict[str, slice]:
        """Where each head's targets lie: what several outputs describe takes one column, others one each."""
        widths = {
            name: 1 if _is_one(self._records[name]) else part.stop - part.start
            for name, part in self.heads.slices.items()
        }
        return _slices(widths)

    def __call__(self, outputs: Array, targets: Array, sample_weight: Array | None = None) -> Any:
        slices, columns = self.heads.slices, self._columns
        _check_width("outputs", outputs, slices)
        _check_width("targets", targets, columns)
        total: Any = 0.0
        for (name, record), weight in zip(self._records.items(), self.weights, strict=True):
            wanted = targets[:, columns[name]]
            if _is_one(record):
                wanted = wanted[:, 0]
            if _takes_numbers(record):
                wanted = wanted.astype(np.int32)
            total = total + weight * record(outputs[:, slices[name]], wanted, sample_weight)
        return total

    def targets(self, /, **targets: Any) -> Array:
        """Return the targets of all heads as one array, for `fit`.

        targets     name=array: [rows] or [rows, outputs]; for a softmax_cross_entropy class numbers [rows]
        Returns     float64 [rows, all heads' targets]
        Errors      DataError for a head that is missing or unknown and for class numbers out of range;
                    ShapeError where rows or outputs do not fit
        """
        _check_heads("targets", targets, list(self._records))
        if missing := [name for name in self._records if name not in targets]:
            raise DataError(f"HeadsLoss: targets: those of the head {missing[0]!r} are missing")
        return np.concatenate(
            [self._target(name, np.asarray(targets[name])) for name in self._records], axis=1
        )

    def _target(self, name: str, target: Array) -> Array:
        part, outputs = self._columns[name], self.heads.slices[name]
        width, classes = part.stop - part.start, outputs.stop - outputs.start
        found = target[:, None] if target.ndim == 1 else target
        if found.shape != (*found.shape[:1], width):
            expected = f"expected [rows, {width}]"
            raise ShapeError(f"HeadsLoss: targets: {name} has shape {list(target.shape)}, {expected}")
        record = self._records[name]
        if _takes_numbers(record) and not np.isin(found, np.arange(classes)).all():
            expected = f"expected class numbers 0 .. {classes - 1}"
            raise DataError(f"HeadsLoss: targets: {name} holds something else, {expected}")
        allowed = record.rule.targets
        if not _takes_numbers(record) and found.size and not allowed.holds(found.min(), found.max()):
            raise DataError(f"HeadsLoss: targets: {name} goes beyond what {record.name} takes, {allowed}")
        return found.astype(np.float64)

    def predictions(self, outputs: Array) -> dict[str, Array]:
        """Return each head's predictions: what its loss makes of raw outputs, such as probabilities.

        outputs     [rows, all heads' outputs], as ``run.predict`` gives them for this loss
        Returns     head's name -> [rows, outputs]
        """
        return {
            name: activation_by_name(record.outputs.activation).function(outputs[:, self.heads.slices[name]])
            for name, record in self._records.items()
        }


def _record(head: str, loss: Any) -> Loss:
    """Return a head's loss as a record."""
    found = as_loss(loss) if isinstance(loss, str | Loss) or callable(loss) else None
    if found is None:
        raise DataError(f"HeadsLoss: losses: {head}: expected a name or a mc.nn.Loss, got {loss!r:.60}")
    return found


def _takes_numbers(record: Loss) -> bool:
    """Return whether the targets are class numbers."""
    return record.outputs.task == "multiclass" and not record.rule.takes_shares


def _is_one(record: Loss) -> bool:
    """Return whether all outputs of a head describe one target."""
    return record.outputs.describes_one and not record.rule.takes_shares


def _check_heads(what: str, given: Mapping[str, Any], names: list[str]) -> None:
    """Refuse a name that no head has."""
    for name in given:
        if name not in names:
            raise DataError(f"HeadsLoss: {what}: there is no head {name!r}{did_you_mean(str(name), names)}")


def _check_width(what: str, values: Array, parts: Mapping[str, slice]) -> None:
    width = list(parts.values())[-1].stop
    if len(values.shape) != 2 or values.shape[1] != width:
        raise ShapeError(
            f"HeadsLoss: {what} have shape {list(values.shape)}, expected [batch, {width}] "
            f"for {', '.join(parts)}"
        )
