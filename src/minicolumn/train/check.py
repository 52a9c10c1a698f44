"""What `fit` refuses, before anything is trained; every refusal is one line."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from minicolumn import random
from minicolumn.errors import DataError, ShapeError
from minicolumn.lower.compile import check_backend
from minicolumn.model.rows import Rows, check_inputs, check_rows
from minicolumn.model.scores import Metric, check_metrics
from minicolumn.nn.ending import check_ending
from minicolumn.nn.layer import Layer, Param, named_layers
from minicolumn.nn.losses import LOSSES, Loss, LossRule, as_loss
from minicolumn.optim import Optimizer, optimizer_by_name, schedule_by_name
from minicolumn.optim import described as optimizer_as_json
from minicolumn.train.callbacks import Callback, Training
from minicolumn.train.run import Progress
from minicolumn.tree import flatten, map_leaves, named_leaves, unflatten


@dataclass(frozen=True)
class Settings:
    """The settings of a training, with names looked up and numbers in range."""

    network: Layer
    loss: Loss | Callable[..., Any]
    optimizer: Optimizer
    schedule: Callable[[Any, int], Any]
    regularizer: Callable[[Any], Any] | None
    metrics: tuple[str | Metric, ...]
    batch_size: int
    epochs: int
    shuffle: bool
    seed: int
    dtype: np.dtype
    threads: int | None
    backend: str
    shadow: str | None = None
    constraint: Callable[[Any], Any] | None = None

    @property
    def record(self) -> Loss | None:
        """Return the loss if it is one of the catalogue, or the one that it belongs to by its own word."""
        found = getattr(self.loss, "record", self.loss)
        return found if isinstance(found, Loss) else None

    @property
    def factor(self) -> float:
        """Return what the loss of `record` is multiplied with, by a loss that is a multiple of it."""
        return float(getattr(self.loss, "factor", 1.0)) if self.record else 1.0

    @property
    def rule(self) -> LossRule | None:
        """Return the catalogue's entry of the loss; None for an own function."""
        return self.record.rule if self.record else None


def check_settings(
    network: Any, loss: Any, optimizer: Any, schedule: Any, regularizer: Any, metrics: Any, batch_size: Any,
    epochs: Any, shuffle: bool, seed: Any, dtype: Any, threads: Any, backend: str, shadow: str | None = None,
    constraint: Any = None,
) -> Settings:  # fmt: skip
    """Look names up and refuse what is out of range."""
    if not isinstance(network, Layer):
        raise DataError(
            f"fit: the network is a {_kind(network)}, expected a layer such as mc.nn.Sequential(...)"
        )
    _check_gradient(network)
    random.key(seed)
    check_backend("fit", backend, shadow)
    found = _loss(loss)
    _check_constraint(constraint, _optimizer(optimizer))
    settings = Settings(
        network=network,
        loss=found,
        optimizer=_optimizer(optimizer),
        schedule=_schedule(schedule),
        regularizer=_callable_or_none("regularizer", regularizer, "mc.nn.L2(1e-4)"),
        metrics=check_metrics("fit", metrics, found if isinstance(found, Loss) else None),
        batch_size=_whole("batch_size", batch_size),
        epochs=_whole("epochs", epochs),
        shuffle=bool(shuffle),
        seed=int(seed),
        dtype=_dtype(dtype),
        threads=None if threads is None else _whole("threads", threads),
        backend=backend,
        shadow=shadow,
        constraint=_callable_or_none("constraint", constraint, "mc.nn.MaxNorm(2)"),
    )
    check_ending("fit", network, settings.rule)
    return settings


def _check_gradient(network: Layer) -> None:
    """Refuse a network of which a part could never learn."""
    for path, layer in named_layers(network):
        if not layer.inside and not layer.passes_gradient:
            where = f"layer {path}" if path else "the network"
            raise DataError(
                f"fit: {where} is {layer!r}, whose derivative is 0 everywhere, so nothing in it and in front "
                "of it would learn; train with 'logistic' in its place, the weights then fit both"
            )


def _check_constraint(constraint: Any, optimizer: Optimizer) -> None:
    """Refuse what would bind the trained weights but not the mean of them that is handed back."""
    if constraint is not None and optimizer.averages:
        name = type(optimizer).__name__
        raise DataError(
            f"fit: a constraint binds the weights that are trained, and {name} hands back a mean of them; "
            "use one or the other"
        )


def _kind(value: Any) -> str:
    return f"class {value.__name__}" if isinstance(value, type) else type(value).__name__


def _whole(name: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
        raise DataError(f"fit: {name} must be a whole number of at least 1, got {value!r}")
    return int(value)


def _dtype(dtype: Any) -> np.dtype:
    for known in (np.float32, np.float64):
        if dtype is not None and dtype in (known, np.dtype(known), np.dtype(known).name):
            return np.dtype(known)
    raise DataError(f"fit: dtype must be float32 or float64, got {dtype!r}")


def _loss(loss: Any) -> Loss | Callable[..., Any]:
    """Return a loss's record, also if settings were bound to it by functools.partial, or an own function."""
    if not isinstance(loss, str) and not callable(loss):
        raise DataError(
            f"fit: loss is a {_kind(loss)}, expected a name or a function; names are {', '.join(LOSSES)}"
        )
    return as_loss(loss) or _own_loss(loss)


def _own_loss(loss: Any) -> Callable[..., Any]:
    try:
        inspect.signature(loss).bind(None, None, None)
    except TypeError:
        raise DataError("fit: a loss function takes (outputs, targets, sample_weight)") from None
    except ValueError:  # a callable that does not tell its arguments
        pass
    return loss


def _optimizer(optimizer: Any) -> Optimizer:
    found = optimizer_by_name(optimizer) if isinstance(optimizer, str) else optimizer
    if not isinstance(found, Optimizer):
        raise DataError(
            f"fit: optimizer is a {_kind(found)}, expected a name or a record such as mc.optim.Adam(1e-3)"
        )
    return found


def _schedule(schedule: Any) -> Callable[[Any, int], Any]:
    found = schedule_by_name(schedule) if isinstance(schedule, str) else schedule
    if isinstance(found, type) or not callable(found):
        raise DataError(
            f"fit: schedule is a {_kind(found)}, expected a name or a record such as mc.optim.Cosine()"
        )
    return found


def _callable_or_none(name: str, value: Any, example: str) -> Any:
    if value is not None and (isinstance(value, type) or not callable(value)):
        raise DataError(f"fit: {name} is a {_kind(value)}, expected {example} or a function")
    return value


def check_callbacks(callbacks: Any) -> tuple[Callback, ...]:
    """Return the callbacks, refusing anything else."""
    listed = callbacks if isinstance(callbacks, Sequence) else [callbacks]
    for callback in listed:
        if not isinstance(callback, Callback):
            raise DataError(
                f"fit: callbacks holds a {_kind(callback)}, expected mc.Callback objects in a list"
            )
    return tuple(listed)


def check_data(
    settings: Settings, X: Any, y: Any, weight: Any, validation_data: Any, fraction: float
) -> tuple[Rows, Rows | None]:
    """Return the rows to train on, and those held out if any."""
    rows = _rows("fit", settings, X, y, weight)
    if validation_data is not None:
        if fraction:
            raise DataError("fit: give validation_data or validation_fraction, not both")
        return _weighing(rows), _validation(settings, rows, validation_data)
    if fraction:
        return _apart(settings, _weighing(rows), fraction)
    if settings.metrics:
        raise DataError(
            "fit: metrics are measured on held-out rows; give validation_data or validation_fraction"
        )
    return _weighing(rows), None


def _rows(who: str, settings: Settings, X: Any, y: Any, weight: Any) -> Rows:
    outputs = settings.network.output_shape(check_inputs(who, X).shape[1:])
    return check_rows(who, X, y, weight, settings.dtype, settings.rule, outputs)


def _weighing(rows: Rows) -> Rows:
    """Leave rows without weight out: a batch of such rows alone would have no mean."""
    return rows if rows.weight is None or rows.weight.all() else rows.take(np.flatnonzero(rows.weight))


def _validation(settings: Settings, rows: Rows, data: Any) -> Rows:
    if not isinstance(data, tuple | list) or len(data) not in (2, 3):
        raise DataError("fit: validation_data must be (X, y) or (X, y, sample_weight)")
    X, y, weight = (*data, None) if len(data) == 2 else data
    shape = check_inputs("fit: validation_data", X).shape[1:]
    if shape != rows.X.shape[1:]:
        raise ShapeError(
            f"fit: validation rows have shape {list(shape)}, training rows {list(rows.X.shape[1:])}"
        )
    held = _rows("fit: validation_data", settings, X, y, weight)
    if held.y.shape[1:] != rows.y.shape[1:]:
        found, expected = list(held.y.shape[1:]), list(rows.y.shape[1:])
        raise ShapeError(f"fit: validation targets have shape {found} a row, training targets {expected}")
    return held


def _apart(settings: Settings, rows: Rows, fraction: float) -> tuple[Rows, Rows]:
    """Set a share of the rows apart by chance, class by class where y holds class numbers."""
    from minicolumn.tables.split import split_rows

    classes = rows.y if rows.y.dtype.kind == "i" and rows.y.ndim == 1 else None
    seed = int(random.stream(settings.seed, "split")[1])  # 32 bits are what scikit-learn's splitter takes
    try:
        train, held = split_rows(classes, len(rows), fraction, seed)
    except (DataError, TypeError) as error:
        raise DataError(f"fit: validation_fraction: {error}") from None
    return rows.take(np.sort(train)), rows.take(np.sort(held))


def check_params(settings: Settings, params: Any, input_shape: tuple[int, ...]) -> Any:
    """Return the weights to start from: drawn ones, or given ones that fit the network."""
    if params is None:
        return settings.network.init(settings.seed, input_shape, settings.dtype)
    declared = settings.network.declare(input_shape)
    places, structure = flatten(declared, is_leaf=lambda node: isinstance(node, Param))
    names = [name for name, _ in named_leaves(unflatten(structure, range(len(places))))]
    found = named_leaves(params)
    if flatten(params)[1] != structure:
        raise ShapeError(
            f"fit: params hold {', '.join(n for n, _ in found) or 'nothing'}; the network has "
            f"{', '.join(names) or 'none'}"
        )
    for place, (name, new) in zip(places, found, strict=True):
        if np.shape(new) != place.shape or not np.isfinite(new).all():
            raise ShapeError(f"fit: params: {name} must hold finite numbers of shape {list(place.shape)}")
    return map_leaves(lambda leaf: np.array(leaf, settings.dtype), params)


def check_constrained(constraint: Callable[[Any], Any] | None, params: Any) -> None:
    """Refuse a constraint that makes something else of weights than weights like them."""
    if constraint is None:
        return
    found, expected = constraint(params), named_leaves(params)
    if flatten(found)[1] != flatten(params)[1]:
        raise ShapeError(
            f"fit: the constraint must give back weights in the same structure, {_listed(expected)}; it gave "
            f"{_listed(named_leaves(found))}"
        )
    for (name, old), (_, new) in zip(expected, named_leaves(found), strict=True):
        kind = np.shape(new), np.asarray(new).dtype
        if kind != (old.shape, old.dtype):
            raise ShapeError(
                f"fit: the constraint made of {name}, {old.dtype} {list(old.shape)}, {kind[1]} "
                f"{list(kind[0])}; it must keep both"
            )


def _listed(named: list[tuple[str, Any]]) -> str:
    return ", ".join(name or "one array" for name, _ in named[:8]) + ", ..." * (len(named) > 8)


def check_resume(settings: Settings, resume: Any, params: Any, input_shape: tuple[int, ...]) -> Progress:
    """Return where to start: at the first step, or where another training stood."""
    if resume is None:
        first = check_params(settings, params, input_shape)
        return Progress(first, settings.optimizer.start(first))
    if params is not None:
        raise DataError("fit: give params or resume, not both; resume brings its own weights")
    stood = getattr(resume, "progress", resume)
    if not isinstance(stood, Progress):
        raise DataError(f"fit: resume is a {_kind(resume)}, expected what an earlier fit returned")
    first = check_params(settings, stood.params, input_shape)
    moments = settings.optimizer.start(first)
    if stood.moments is not None:
        moments = _check_moments(settings, moments, stood.moments)
    return replace(stood, params=first, moments=moments)


def _check_moments(settings: Settings, fresh: Any, found: Any) -> Any:
    """Return a copy of an optimizer's moments, which must be those of the same kind of optimizer."""
    (new, structure), (old, other) = flatten(fresh), flatten(found)
    if structure != other or any(np.shape(a) != np.shape(b) for a, b in zip(new, old, strict=True)):
        kept = ", ".join(name for name in found if name != "count") or "nothing"
        name = type(settings.optimizer).__name__
        raise DataError(
            f"fit: resume remembers {kept}, which {name} cannot go on from; use the same optimizer"
        )
    return map_leaves(lambda a, b: np.array(b, np.asarray(a).dtype), fresh, found)


def described(settings: Settings, training: Training, stopped: str, seconds: float) -> dict[str, Any]:
    """Return the settings of a training and how it went as JSON, for the model file."""
    s = settings
    return {
        "loss": s.record.to_json() if s.record else "",
        "optimizer": optimizer_as_json(s.optimizer),
        "schedule": getattr(s.schedule, "__name__", type(s.schedule).__name__),
        "batch_size": s.batch_size,
        "epochs": s.epochs,
        "epochs_run": len(training.history),
        "best_epoch": training.best_epoch,
        "stopped": stopped,
        "rows": training.rows,
        "seed": s.seed,
        "dtype": str(s.dtype),
        "backend": s.backend,
        "seconds": round(seconds, 3),
    }
