"""The settings of a training: the keywords of `fit` that are no data, each declared once.

`Settings` holds what each keyword may be, its default and its help. A test holds `Keywords`, which is for
type checkers and editors, and the signature of `fit`, which is for readers, to it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, TypedDict

import numpy as np
from numpy.typing import DTypeLike

from minicolumn.errors import DataError, did_you_mean
from minicolumn.lower.compile import BACKENDS, check_backend
from minicolumn.model.scores import Metric, MetricLike, check_metrics
from minicolumn.nn.constrain import CONSTRAINTS
from minicolumn.nn.ending import check_ending
from minicolumn.nn.layer import Layer, named_layers
from minicolumn.nn.layers.containers import Sequential
from minicolumn.nn.layers.ensemble import MeanOfMembers
from minicolumn.nn.losses import Loss, LossRule, as_loss
from minicolumn.nn.regularize import REGULARIZERS
from minicolumn.optim import OPTIMIZERS, SCHEDULES, Adam, Constant, Optimizer, Schedule
from minicolumn.registry import Boolean, Choice, Custom, Part, Record, Setting, is_function, settings_of
from minicolumn.registry.shared import BATCH_SIZE, EPOCHS, SEED, THREADS
from minicolumn.train.foreign import KEYWORDS
from minicolumn.train.types import Constraint, LossFunction, Regularizer, ScheduleFunction


class Keywords(TypedDict, total=False):
    """What `Settings` may be made of: names, records and functions, as users write them."""

    loss: str | Loss | LossFunction
    optimizer: str | Optimizer
    schedule: str | Schedule | ScheduleFunction
    batch_size: int
    epochs: int
    metrics: MetricLike | Sequence[MetricLike]
    regularizer: str | Regularizer | None
    constraint: str | Constraint | None
    shuffle: bool
    seed: int
    dtype: DTypeLike
    threads: int | None
    backend: str
    shadow: str | None


def _loss(loss: Any) -> Any:
    """Return a loss's record, also if settings were bound to it by functools.partial, or an own function."""
    if not isinstance(loss, str) and not is_function(loss):
        return NotImplemented
    return as_loss(loss) or _own_loss(loss)


def _own_loss(loss: Any) -> Callable[..., Any]:
    try:
        inspect.signature(loss).bind(None, None, None)
    except TypeError:
        raise DataError("a loss function takes (outputs, targets, sample_weight)") from None
    except ValueError:  # a callable that does not tell its arguments
        pass
    return loss


def _dtype(dtype: Any) -> Any:
    for known in (np.float32, np.float64):
        if dtype is not None and dtype in (known, np.dtype(known), np.dtype(known).name):
            return np.dtype(known)
    return NotImplemented


LOSS = Custom(
    help="What is minimised.",
    words='a name, a record such as mc.nn.Loss("huber", delta=2.0), or a function',
    form=_loss,
)
OPTIMIZER = Part(
    help="How a step follows from the gradient.",
    words="a name, or a record such as mc.optim.Adam(1e-3)",
    registry=lambda: OPTIMIZERS,
    accepts=lambda value: isinstance(value, Optimizer),
)
SCHEDULE = Part(
    help="A factor on the learning rate, step by step.",
    words="a name, a record such as mc.optim.Cosine(), or a function",
    registry=lambda: SCHEDULES,
    accepts=is_function,
)
METRICS = Custom(
    help="Scores to record for the held-out rows.",
    words="names, functions or pairs (name, function)",
    form=lambda value: value if isinstance(value, tuple) else NotImplemented,
)
REGULARIZER = Part(
    help="A penalty on the weights, added to the loss.",
    words="a name with settings, a record such as mc.nn.L2(1e-4), or a function",
    registry=lambda: REGULARIZERS,
    accepts=is_function,
    optional=True,
)
CONSTRAINT = Part(
    help="Where weights are brought back to after every step.",
    words="a name, a record such as mc.nn.MaxNorm(2), or a function",
    registry=lambda: CONSTRAINTS,
    accepts=is_function,
    optional=True,
)
SHUFFLE = Boolean(help="Whether each epoch has its own order of the rows.")
DTYPE = Custom(help="Of the computation.", words="float32 or float64", form=_dtype)
BACKEND = Choice(help="What computes.", choices=tuple(BACKENDS))
SHADOW = Choice(help="What every operation is compared with.", choices=("reference",), optional=True)


@dataclass(frozen=True, kw_only=True)
class Settings(Record):
    """The settings of a training, with names looked up and numbers in range; made by `check_settings`."""

    loss: Annotated[Loss | Callable[..., Any], LOSS] = Loss("softmax_cross_entropy")  # noqa: RUF009  a frozen record, as the next ones
    optimizer: Annotated[Optimizer, OPTIMIZER] = Adam()  # noqa: RUF009
    schedule: Annotated[Callable[[Any, int], Any], SCHEDULE] = Constant()  # noqa: RUF009
    batch_size: Annotated[int, BATCH_SIZE] = 32
    epochs: Annotated[int, EPOCHS] = 20
    metrics: Annotated[tuple[str | Metric, ...], METRICS] = ()
    regularizer: Annotated[Callable[[Any], Any] | None, REGULARIZER] = None
    constraint: Annotated[Callable[[Any], Any] | None, CONSTRAINT] = None
    shuffle: Annotated[bool, SHUFFLE] = True
    seed: Annotated[int, SEED] = 0
    dtype: Annotated[np.dtype, DTYPE] = np.dtype(np.float32)  # noqa: RUF009
    threads: Annotated[int | None, THREADS] = None
    backend: Annotated[str, BACKEND] = "native"
    shadow: Annotated[str | None, SHADOW] = None

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


KNOWN = settings_of(Settings)
NAMES = tuple(KNOWN)


def check_settings(who: str, given: Mapping[str, Any], base: Settings | None = None) -> Settings:
    """Return settings with some of them given; every refusal is one line.

    who     asks, for messages: "fit" or "change"
    base    what the others are; None takes the defaults
    Errors  DataError for what is out of range or does not go together, TypeError for an unknown name
    """
    for name in given:
        if name not in KNOWN:
            raise TypeError(unknown_keyword(who, name, NAMES))
    said = {name: checked(who, KNOWN[name], value) for name, value in given.items() if name != "metrics"}
    found = replace(base or Settings(), **said)
    check_backend(who, found.backend, found.shadow)
    _check_constraint(who, found.constraint, found.optimizer)
    # Which names there are depends on the loss, so they are looked up where either is given.
    loss = found.loss if isinstance(found.loss, Loss) else None
    return replace(found, metrics=check_metrics(who, given.get("metrics", found.metrics), loss))


def checked(who: str, setting: Setting, value: Any) -> Any:
    """Return the value of a keyword; whatever is wrong, also within a text, is said of the keyword."""
    try:
        return setting.check(value, who)
    except DataError as error:
        where, said = f"{who}: {setting.name}: ", str(error)
        raise DataError(said if said.startswith(where) else where + said) from None


def unknown_keyword(who: str, name: str, known: Sequence[str]) -> str:
    """Return what to say of a keyword that does not exist."""
    hint = KEYWORDS.get(name) or did_you_mean(name, known) or f"; there are {', '.join(known)}"
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
    _check_members(who, network)
    check_ending(who, network, rule)
    return network


def _check_members(who: str, network: Layer) -> None:
    """Refuse a mean of members that is not the last layer: members would not learn each by itself."""
    found = [
        path
        for path, layer in named_layers(network)
        if isinstance(layer, MeanOfMembers) and path != _last_path(network)
    ]
    if found:
        raise DataError(
            f"{who}: layer {found[0]} averages members, which only the last layer of a network may do; put "
            "what follows in front of it"
        )


def _last_path(layer: Layer) -> str:
    """Return the path of the layer that a network ends in, as `named_layers` gives it."""
    if not isinstance(layer, Sequential) or not layer.layers:
        return ""
    return f"{len(layer.layers) - 1}.{_last_path(layer.layers[-1])}".strip(".")


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
