"""Default hyperparameters for tables: network, optimizer and schedule, where the user says nothing."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from minicolumn.nn import (
    BatchNorm,
    ColumnEmbedding,
    Dense,
    Dropout,
    Layer,
    LayerNorm,
    PiecewiseDense,
    PiecewiseLinear,
    RMSNorm,
    Scale,
    Sequential,
)
from minicolumn.nn.layers.dense import LARGEST_SIZE
from minicolumn.nn.layers.spline import Knots
from minicolumn.nn.losses import LOSSES, Loss
from minicolumn.nn.outputs import NumberOutputs
from minicolumn.optim import (
    AdamW,
    Clipped,
    FlatCosine,
    LogCosine,
    Optimizer,
    Schedule,
    WarmUp,
    optimizer_by_name,
)
from minicolumn.tables.encode import Encoder
from minicolumn.tabular.early_decay import EarlyDecay
from minicolumn.tabular.efforts import FEW_ROWS, Effort
from minicolumn.tabular.knots import table_knots
from minicolumn.tabular.last_weights import LastUnlessWorse
from minicolumn.tabular.repeated_rows import repeated_share
from minicolumn.train.callbacks import Callback

Array = np.ndarray

HIDDEN = (256, 256, 256)
_LEAST_BATCH, _LARGEST_BATCH = 32, 256


@dataclass(frozen=True)
class MemberHabits:
    """What differs for the members of an ensemble: their mean needs less caution than a single network.

    ways          (dropout, learning rate) of the members in turn
    share         of the usual epochs
    smoothing     label smoothing
    width         factor on the units of the effort
    layers        hidden layers, at most those of the effort
    keeps_best    whether the best epoch by the rows held out is kept, else the last one
    grows         whether a higher effort has more epochs; a lower one has fewer in any case
    fewest        epochs of the usual effort, as long as they are no more than 2,500 steps
    activation    of the hidden layers; None is that of the single network
    largest_batch rows of a step at most
    last_unless_worse   whether the last epoch is kept where the best one may be so by chance
    decays_early  whether the rate falls early where the held-out loss stalls, see `EarlyDecay`

    The rate stays, then falls along a cosine. Noise is memorised before the rate has fallen, so the best
    epoch is kept; but where new rows repeat old ones, targets and all, it is best to have memorised these.
    """

    ways: tuple[tuple[float, float], ...]
    share: float
    smoothing: float = 0.0
    width: float = 1.0
    keeps_best: bool = False
    grows: bool = True
    layers: int = 3
    fewest: int = 8
    activation: str | None = None
    largest_batch: int = _LARGEST_BATCH
    last_unless_worse: bool = False
    decays_early: bool = False


@dataclass(frozen=True)
class Habits:
    """The default hyperparameters for one kind of target.

    activation    of all hidden layers
    learning_rate of AdamW, at the start of the schedule
    dropout       rate of each hidden layer
    smoothing     label smoothing: how much of each label is spread over the classes; a temperature takes it
                  back afterwards
    steps         that the schedule spreads over: more data, fewer epochs
    most_epochs   however few the rows
    monitor       what chooses the best epoch
    metrics       recorded for each epoch
    members       what differs for the members of an ensemble
    members_of_few      the same where rows are few; None where that makes no difference
    members_of_many     the same where rows are many
    """

    activation: str
    learning_rate: float
    dropout: float
    smoothing: float
    steps: int
    most_epochs: int
    monitor: str
    metrics: tuple[str, ...]
    members: MemberHabits
    members_of_few: MemberHabits | None = None
    members_of_many: MemberHabits | None = None


# Almost no dropout suits numbers with little noise, more of it those with much: a mixture is as good as the
# best of them. It is never 0, which would be a program of its own.
_OF_NUMBERS = MemberHabits(
    (
        (0.01, 0.05),
        (0.05, 0.1),
        (0.1, 0.05),
        (0.15, 0.1),
        (0.01, 0.1),
        (0.05, 0.05),
        (0.1, 0.1),
        (0.15, 0.05),
    ),
    2 / 3,
    keeps_best=True,
    decays_early=True,
)
_OF_FEW_NUMBERS = MemberHabits(((0.15, 0.05),), 1.0, keeps_best=True, decays_early=True)
_REPEATED = 0.1  # of the rows, from which to memorise them pays
_MANY_ROWS = 200_000
_OF_TWO_CLASSES = MemberHabits(
    ((0.3, 0.04),),
    0.4,
    smoothing=0.05,
    keeps_best=True,
    grows=False,
    layers=2,
    fewest=16,
    activation="mish",
)
_OF_MANY_CLASSES = MemberHabits(((0.05, 0.08),), 2 / 3, width=1.5, keeps_best=True, last_unless_worse=True)
# With so few steps an epoch the same rate leaves members sure of what is wrong.
_OF_MANY_CLASSES_AND_FEW_ROWS = replace(_OF_MANY_CLASSES, ways=((0.05, 0.03),))
NUMBERS = Habits("mish", 0.05, 0.15, 0.0, 2_000, 160, "val_loss", ("r2",), _OF_NUMBERS, _OF_FEW_NUMBERS)
# So many rows are learnt from as long as there is time, not learnt by heart.
_OF_MANY_CLASSES_AND_MANY_ROWS = replace(
    _OF_MANY_CLASSES, ways=((0.0, 0.02),), share=1.25, activation="relu", largest_batch=512
)
# Yes or no is most often a noisy answer, and noise is soon learnt by heart: fewer steps, more dropout. The
# log loss sees smoothing as uncertainty, so with more of it the earliest epochs would look best.
TWO_CLASSES = Habits("selu", 0.04, 0.3, 0.05, 1_500, 40, "val_loss", ("accuracy",), _OF_TWO_CLASSES)
# Of many classes the log loss is smallest long before the accuracy is largest, for the same reason.
MANY_CLASSES = Habits(
    "selu",
    0.04,
    0.15,
    0.1,
    2_000,
    160,
    "val_accuracy",
    ("accuracy",),
    _OF_MANY_CLASSES,
    _OF_MANY_CLASSES_AND_FEW_ROWS,
    _OF_MANY_CLASSES_AND_MANY_ROWS,
)
FEWEST_EPOCHS, _FEWEST_OF_MEMBERS, _MOST_STEPS_OF_FEWEST = 12, 8, 2_500


_BIAS_RATE = 0.1
NORMALIZATIONS: dict[str, Callable[[], Layer]] = {"batch": BatchNorm, "layer": LayerNorm, "rms": RMSNorm}
_WARM = 0.02  # of an ensemble member's run
# More embedded columns than these share one table, see docs/decisions/026.
_MOST_TABLES, _EMBEDDING_DIM = 16, 8


@dataclass(frozen=True)
class Recipe:
    """The network of a table and its hyperparameters: all that `fit` must know beside the rows.

    patience      epochs without progress in `monitor`, after which training stops
    keeps_best    whether the weights of the best epoch are kept, else those of the last one
    metrics       names, recorded on the validation rows after each epoch
    params        weights to start from; None draws them
    callbacks     hung into the training, such as `mc.Unfreeze`
    """

    network: Layer
    loss: Callable[..., Any]
    optimizer: Optimizer
    schedule: Schedule
    batch_size: int
    epochs: int
    patience: int
    monitor: str
    metrics: tuple[str, ...]
    keeps_best: bool = True
    ways: tuple[tuple[float, float], ...] = ()
    params: Any = field(default=None, compare=False)
    callbacks: tuple[Any, ...] = ()


def table_recipe(
    encoder: Encoder,
    X: Array,
    *,
    hidden: tuple[int, ...] | None = None,
    activation: str | tuple[str, ...] | None = None,
    dropout: float | None = None,
    loss: Loss | None = None,
    optimizer: str | Optimizer | None = None,
    learning_rate: float | None = None,
    clip_norm: float | None = None,
    schedule: Schedule | None = None,
    batch_size: int | None = None,
    epochs: int | None = None,
    patience: int | None = None,
    effort: Effort | None = None,
    normalization: str | None = None,
    knots: Knots | None = None,
    y: Array | None = None,
) -> Recipe:
    """Return the recipe for a table; what is None takes the default.

    encoder     fitted on the training rows
    X           those rows as its matrix, [rows, features]; their number and their quantiles shape the recipe
    activation  of all hidden layers, or one for each
    clip_norm   the longest gradient of a step; longer ones are shortened
    patience    epochs without progress, then stop; who says it has the best epoch kept, too
    effort      of an ensemble of so many rows, of which this is the recipe of a member; None of a single
                network
    normalization   what stands behind each hidden layer: a key of `NORMALIZATIONS`; nothing by default
    knots       of the ramps, which who makes many recipes finds once with `table_knots`; () for none
    y           the target of these rows, on the network's scale: rows that repeat others are memorised
    Source      RealMLP-TD: Holzmueller, Grinsztajn & Steinwart 2024 (arXiv 2407.04491), table A.1; ramps:
                Gorishniy, Rubachev & Babenko 2022 (arXiv 2203.05556)
    Differs     ramps between quantiles take the place of periodic embeddings; dropout and weight decay stay
                constant; small tables get small batches, large ones fewer epochs; learning stops early
    """
    habits = habits_of(encoder)
    own = None if effort is None else _of_members(habits, X, y)
    batch = batch_size or table_batch(len(X), _LARGEST_BATCH if own is None else own.largest_batch)
    free = not (epochs or schedule or loss)
    epochs = epochs or _epochs(habits, -(-len(X) // batch), own, effort)
    habits = habits if own is None else _with(habits, own)
    rate = habits.dropout if dropout is None else dropout
    hidden = hidden or _hidden(own, effort)
    kinds = activation or habits.activation
    kinds = (kinds,) * len(hidden) if isinstance(kinds, str) else kinds
    steps = _optimizer(optimizer, learning_rate, habits)
    knots = table_knots(encoder, X) if knots is None else knots
    return Recipe(
        network=table_network(encoder, knots, hidden, kinds, rate, steps.adaptive, loss, normalization),
        loss=loss or _loss(encoder, habits),
        optimizer=steps if clip_norm is None else Clipped(steps, norm=clip_norm),
        schedule=schedule or (LogCosine() if effort is None else WarmUp(FlatCosine(), _WARM)),
        batch_size=batch,
        epochs=epochs,
        patience=patience or _patience(own, epochs),
        monitor=habits.monitor,
        metrics=habits.metrics,
        keeps_best=own is None or own.keeps_best or patience is not None,
        ways=() if own is None else own.ways,
        callbacks=() if own is None or patience is not None else _callbacks(own, free),
    )


def varied(recipe: Recipe, number: int, *, dropout: bool, rate: bool) -> Recipe:
    """Return the recipe of one member of an ensemble: with a dropout and a learning rate of its own.

    number          of the member, from 0
    dropout, rate   whether they may differ, which is where nobody said what they are
    """
    share, speed = recipe.ways[number % len(recipe.ways)]
    network, optimizer = recipe.network, recipe.optimizer
    if dropout and isinstance(network, Sequential):
        layers = (Dropout(share) if isinstance(layer, Dropout) else layer for layer in network.layers)
        network = Sequential(*layers)
    return replace(recipe, network=network, optimizer=optimizer.with_rate(speed) if rate else optimizer)


def _of_members(habits: Habits, X: Array, y: Array | None) -> MemberHabits:
    """Return what differs for the members of an ensemble that learns from these rows."""
    few = habits.members_of_few if len(X) < FEW_ROWS else None
    many = habits.members_of_many if len(X) >= _MANY_ROWS else None
    own = few or many or habits.members
    if own.decays_early and y is not None and repeated_share(X, y) >= _REPEATED:
        return replace(own, keeps_best=False, decays_early=False)
    return own


def _patience(own: MemberHabits | None, epochs: int) -> int:
    """Return the epochs without progress after which training stops; who prefers the last one gets there."""
    return epochs if own is not None and own.last_unless_worse else max(10, epochs // 2)


def _callbacks(own: MemberHabits, free: bool) -> tuple[Callback, ...]:
    """Return what decides how long a member learns, and which weights it keeps.

    free        whether nobody said how long, nor by what schedule
    """
    if own.decays_early and free:
        return (EarlyDecay(),)
    return (LastUnlessWorse(),) if own.last_unless_worse else ()


def _with(habits: Habits, own: MemberHabits) -> Habits:
    """Return the habits of the first member of an ensemble."""
    dropout, rate = own.ways[0]
    return replace(
        habits,
        activation=own.activation or habits.activation,
        learning_rate=rate,
        dropout=dropout,
        smoothing=own.smoothing,
    )


def _hidden(own: MemberHabits | None, effort: Effort | None) -> tuple[int, ...]:
    """Return the units of each hidden layer."""
    if own is None or effort is None:
        return HIDDEN
    return tuple(round(own.width * units) for units in effort.hidden[: own.layers])


def _epochs(habits: Habits, steps: int, own: MemberHabits | None, effort: Effort | None) -> int:
    """Return how many epochs of so many steps are trained by default."""
    usual = max(FEWEST_EPOCHS, min(habits.most_epochs, habits.steps // steps))
    if own is None or effort is None:
        return usual
    less = min(effort.share, 1.0)
    share = effort.share if own.grows else less
    fewest = max(_FEWEST_OF_MEMBERS, round(less * own.fewest))
    fewest = min(fewest, max(_FEWEST_OF_MEMBERS, _MOST_STEPS_OF_FEWEST // steps))
    return max(fewest, round(share * own.share * usual))


def table_batch(rows: int, largest: int = _LARGEST_BATCH) -> int:
    """Return the rows of a step: the power of two nearest to a tenth of the rows, from 32 to 256.

    largest     a power of two in place of 256

    >>> [table_batch(rows) for rows in (50, 640, 1_000, 1_000_000)]
    [32, 64, 128, 256]
    """
    return min(largest, max(_LEAST_BATCH, 2 ** round(math.log2(max(rows, 1) / 10))))


def table_network(
    encoder: Encoder,
    knots: tuple[tuple[int, tuple[float, ...]], ...],
    hidden: tuple[int, ...],
    activations: tuple[str, ...],
    dropout: float,
    adaptive: bool = True,
    loss: Loss | None = None,
    normalization: str | None = None,
) -> Sequential:
    """Return the network: embeddings, ramps, a scale a feature, hidden layers, outputs that start at 0.

    adaptive  whether the optimizer scales each weight's steps by itself, as Adam does. The NTK form and the
              slow biases are meant for those; under plain gradient descent they would slow all learning.
    loss      tells how many outputs describe a number, and what must stand behind them
    normalization     a key of `NORMALIZATIONS`: what stands behind each hidden layer
    """
    layers: list[Layer] = []
    if knots and not adaptive:
        layers.append(PiecewiseLinear(knots))
    if encoder.embeddings:
        layers.append(_embedding(encoder.embeddings))
    if not (knots and adaptive):
        layers.append(Scale())
    for place, (units, activation) in enumerate(zip(hidden, activations, strict=True)):
        if knots and adaptive and not place:
            listed = _behind(encoder.embeddings, knots)
            layers.append(PiecewiseDense(units, listed, activation, bias_rate=_BIAS_RATE))
        else:
            layers.append(_dense(units, activation, adaptive=adaptive))
        if normalization is not None:
            layers.append(NORMALIZATIONS[normalization]())
        if dropout:
            layers.append(Dropout(dropout))
    outputs = None if loss is None else loss.outputs
    end = outputs.end if isinstance(outputs, NumberOutputs) else ()
    width = outputs.width if isinstance(outputs, NumberOutputs) else 1
    units = len(encoder.classes) if encoder.classes else width
    return Sequential(*layers, _dense(units, initializer="zeros", adaptive=adaptive), *end)


def _behind(embeddings: tuple[tuple[int, int], ...], knots: Knots) -> Knots:
    """Return knots by the numbers that columns have behind embeddings, which take those of codes away."""
    codes = np.sort([column for column, _ in embeddings])
    return tuple((column - int(np.searchsorted(codes, column)), each) for column, each in knots)


def _embedding(pairs: tuple[tuple[int, int], ...]) -> ColumnEmbedding:
    """Return the embeddings of the columns of codes; where these are many, their tables are one."""
    shared = len(pairs) > _MOST_TABLES and sum(levels for _, levels in pairs) <= LARGEST_SIZE
    return ColumnEmbedding(pairs, dim=_EMBEDDING_DIM, shared=shared)


def _dense(
    units: int, activation: str = "linear", initializer: str | None = None, *, adaptive: bool
) -> Dense:
    """Return a dense layer; for adaptive optimizers in NTK parametrization, its bias a tenth as fast."""
    if not adaptive:
        return Dense(units, activation, initializer=initializer)
    return Dense(units, activation, initializer=initializer, parametrization="ntk", bias_rate=_BIAS_RATE)


def habits_of(encoder: Encoder) -> Habits:
    """Return the default hyperparameters for an encoder's target."""
    if encoder.classes is None:
        return NUMBERS
    return TWO_CLASSES if len(encoder.classes) == 2 else MANY_CLASSES


def _loss(encoder: Encoder, habits: Habits) -> Callable[..., Any]:
    """Return the default loss: squared error, or cross-entropy with label smoothing."""
    if encoder.classes is None:
        return LOSSES["squared_error"].function
    return functools.partial(LOSSES["softmax_cross_entropy"].function, label_smoothing=habits.smoothing)


def _optimizer(given: str | Optimizer | None, learning_rate: float | None, habits: Habits) -> Optimizer:
    """Return the optimizer, AdamW by default, at the learning rate that was asked for."""
    if given is None:
        return AdamW(learning_rate or habits.learning_rate, b2=0.95, weight_decay=0.02)
    found = optimizer_by_name(given) if isinstance(given, str) else given
    return found.with_rate(learning_rate) if learning_rate else found
