"""The settings of a training: the keywords of `fit` that are no data, looked up and in range."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypedDict

import numpy as np

from minicolumn import random
from minicolumn.errors import DataError, did_you_mean
from minicolumn.lower.compile import check_backend
from minicolumn.model.scores import Metric, MetricLike, check_metrics
from minicolumn.nn.ending import check_ending
from minicolumn.nn.layer import Layer, named_layers
from minicolumn.nn.losses import LOSSES, Loss, LossRule, as_loss
from minicolumn.optim import Adam, Constant, Optimizer, Schedule, optimizer_by_name, schedule_by_name


class Keywords(TypedDict, total=False):
    """What `Settings` may be made of: names, records and functions, as users write them."""

    loss: str | Loss | Callable[..., Any]
    optimizer: str | Optimizer
    schedule: str | Schedule | Callable[[Any, int], Any]
    batch_size: int
    epochs: int
    metrics: MetricLike | Sequence[MetricLike]
    regularizer: Callable[[Any], Any] | None
    constraint: Callable[[Any], Any] | None
    shuffle: bool
    seed: int
    dtype: Any
    threads: int | None
    backend: str
    shadow: str | None


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The settings of a training, with names looked up and numbers in range; made by `check_settings`."""

    loss: Loss | Callable[..., Any] = Loss("softmax_cross_entropy")  # noqa: RUF009  a frozen record, as the next ones
    optimizer: Optimizer = Adam()  # noqa: RUF009
    schedule: Callable[[Any, int], Any] = Constant()  # noqa: RUF009
    batch_size: int = 32
    epochs: int = 20
    metrics: tuple[str | Metric, ...] = ()
    regularizer: Callable[[Any], Any] | None = None
    constraint: Callable[[Any], Any] | None = None
    shuffle: bool = True
    seed: int = 0
    dtype: np.dtype = np.dtype(np.float32)  # noqa: RUF009
    threads: int | None = None
    backend: str = "native"
    shadow: str | None = None

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


NAMES = tuple(field.name for field in dataclasses.fields(Settings))


def check_settings(who: str, given: Mapping[str, Any], base: Settings | None = None) -> Settings:
    """Return settings with some of them given; every refusal is one line.

    who     asks, for messages: "fit" or "change"
    base    what the others are; None takes the defaults
    Errors  DataError for what is out of range or does not go together, TypeError for an unknown name
    """
    for name in given:
        if name not in NAMES:
            raise TypeError(unknown_keyword(who, name, NAMES))
    found = dataclasses.replace(base or Settings(), **given)
    random.key(found.seed)
    check_backend(who, found.backend, found.shadow)
    loss, optimizer = _loss(who, found.loss), _optimizer(who, found.optimizer)
    constraint = _callable_or_none(who, "constraint", found.constraint, "mc.nn.MaxNorm(2)")
    _check_constraint(who, constraint, optimizer)
    return Settings(
        loss=loss,
        optimizer=optimizer,
        schedule=_schedule(who, found.schedule),
        batch_size=whole(who, "batch_size", found.batch_size),
        epochs=whole(who, "epochs", found.epochs),
        metrics=check_metrics(who, found.metrics, loss if isinstance(loss, Loss) else None),
        regularizer=_callable_or_none(who, "regularizer", found.regularizer, "mc.nn.L2(1e-4)"),
        constraint=constraint,
        shuffle=bool(found.shuffle),
        seed=int(found.seed),
        dtype=_dtype(who, found.dtype),
        threads=None if found.threads is None else whole(who, "threads", found.threads),
        backend=found.backend,
        shadow=found.shadow,
    )


def unknown_keyword(who: str, name: str, known: Sequence[str]) -> str:
    """Return what to say of a keyword that does not exist."""
    hint = did_you_mean(name, known) or f"; there are {', '.join(known)}"
    return f"{who}() got an unexpected keyword argument {name!r}{hint}"


def check_network(who: str, network: Any, rule: LossRule | None) -> Layer:
    """Refuse what is no network, one of which a part could never learn, and one that ends in its loss's own.

    Errors      DataError
    """
    if not isinstance(network, Layer):
        raise DataError(
            f"{who}: the network is a {kind(network)}, expected a layer such as mc.nn.Sequential(...)"
        )
    for path, layer in named_layers(network):
        if not layer.inside and not layer.passes_gradient:
            where = f"layer {path}" if path else "the network"
            raise DataError(
                f"{who}: {where} is {layer!r}, whose derivative is 0 everywhere, so nothing in it and in "
                "front of it would learn; train with 'logistic' in its place, the weights then fit both"
            )
    check_ending(who, network, rule)
    return network


def _check_constraint(who: str, constraint: Any, optimizer: Optimizer) -> None:
    """Refuse what would bind the trained weights but not the mean of them that is handed back."""
    if constraint is not None and optimizer.averages:
        name = type(optimizer).__name__
        raise DataError(
            f"{who}: a constraint binds the weights that are trained, and {name} hands back a mean of them; "
            "use one or the other"
        )


def kind(value: Any) -> str:
    """Return what a value is, for messages."""
    return f"class {value.__name__}" if isinstance(value, type) else type(value).__name__


def whole(who: str, name: str, value: Any) -> int:
    """Return an integer of at least 1.

    Errors      DataError for anything else
    """
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
        raise DataError(f"{who}: {name} must be a whole number of at least 1, got {value!r}")
    return int(value)


def _dtype(who: str, dtype: Any) -> np.dtype:
    for known in (np.float32, np.float64):
        if dtype is not None and dtype in (known, np.dtype(known), np.dtype(known).name):
            return np.dtype(known)
    raise DataError(f"{who}: dtype must be float32 or float64, got {dtype!r}")


def _loss(who: str, loss: Any) -> Loss | Callable[..., Any]:
    """Return a loss's record, also if settings were bound to it by functools.partial, or an own function."""
    if not isinstance(loss, str) and not callable(loss):
        raise DataError(
            f"{who}: loss is a {kind(loss)}, expected a name or a function; names are {', '.join(LOSSES)}"
        )
    return as_loss(loss) or _own_loss(who, loss)


def _own_loss(who: str, loss: Any) -> Callable[..., Any]:
    try:
        inspect.signature(loss).bind(None, None, None)
    except TypeError:
        raise DataError(f"{who}: a loss function takes (outputs, targets, sample_weight)") from None
    except ValueError:  # a callable that does not tell its arguments
        pass
    return loss


def _optimizer(who: str, optimizer: Any) -> Optimizer:
    found = optimizer_by_name(optimizer) if isinstance(optimizer, str) else optimizer
    if not isinstance(found, Optimizer):
        raise DataError(
            f"{who}: optimizer is a {kind(found)}, expected a name or a record such as mc.optim.Adam(1e-3)"
        )
    return found


def _schedule(who: str, schedule: Any) -> Callable[[Any, int], Any]:
    found = schedule_by_name(schedule) if isinstance(schedule, str) else schedule
    if isinstance(found, type) or not callable(found):
        raise DataError(
            f"{who}: schedule is a {kind(found)}, expected a name or a record such as mc.optim.Cosine()"
        )
    return found


def _callable_or_none(who: str, name: str, value: Any, example: str) -> Any:
    if value is not None and (isinstance(value, type) or not callable(value)):
        raise DataError(f"{who}: {name} is a {kind(value)}, expected {example} or a function")
    return value
