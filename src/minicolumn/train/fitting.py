"""`fit`: train a network, from the first step to the last."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Never

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from minicolumn.model.scores import MetricLike
from minicolumn.nn.layer import Layer, Params
from minicolumn.nn.losses import Loss
from minicolumn.optim import Adam, Constant, Optimizer, Schedule
from minicolumn.train.callbacks import CallbackLike
from minicolumn.train.run import Run
from minicolumn.train.snapshot import Snapshot
from minicolumn.train.trainer import Trainer
from minicolumn.train.types import Constraint, Inputs, LossFunction, Regularizer, ScheduleFunction, Validation


def fit(
    network: Layer,
    X: Inputs,
    y: ArrayLike,
    *,
    loss: str | Loss | LossFunction = "softmax_cross_entropy",
    optimizer: str | Optimizer = Adam(),  # noqa: B008  a frozen record
    schedule: str | Schedule | ScheduleFunction = Constant(),  # noqa: B008  a frozen record
    batch_size: int = 32,
    epochs: int = 20,
    validation_data: Validation | None = None,
    validation_fraction: float = 0.0,
    metrics: MetricLike | Sequence[MetricLike] = (),
    callbacks: CallbackLike | Sequence[CallbackLike] = (),
    regularizer: str | Regularizer | None = None,
    constraint: str | Constraint | None = None,
    sample_weight: ArrayLike | None = None,
    shuffle: bool = True,
    seed: int = 0,
    dtype: DTypeLike = np.float32,
    threads: int | None = None,
    backend: str = "native",
    shadow: str | None = None,
    progress: bool | None = None,
    params: Params | None = None,
    resume: Run | Snapshot | None = None,
    monitor: bool = False,
    **foreign: Never,
) -> Run:
    """Train a network by gradient descent on mini-batches.

        params = argmin  mean over rows of loss(network(X), y) + regularizer(params)

    network             a layer, most often a `Sequential`; its input shape is found from X
    X                   [rows, *input_shape], any real dtype; computed in `dtype`. Sparse rows of SciPy are
                        made dense some steps at a time
    y                   [rows] class numbers for softmax_cross_entropy, else numbers [rows] or [rows, outputs]
    loss                a name from `mc.nn.LOSSES`, a record with settings such as
                        `mc.nn.Loss("huber", delta=2.0)`, or a NumPy function of (outputs, targets,
                        sample_weight) that returns one number; where there is one output, targets are shaped
                        like the outputs, and sample_weight is [batch], 1 unless given. Losses of classes take
                        raw scores: the last layer has no softmax or logistic, which predictions come with
    optimizer           a record such as `mc.optim.Adam(1e-3)`, or its name; where it averages, as `Averaged`
                        does, the mean is what is measured, shown to callbacks and handed back
    schedule            a factor on the learning rate, by record, name, or function of (steps, total_steps)
    batch_size          rows a step; an epoch's last short batch is trained on too, with its own mean
    epochs              times through the rows
    validation_data     (X, y) or (X, y, sample_weight) held out to measure on
    validation_fraction share of the rows to hold out instead, stratified by class
    metrics             scores to record for the held-out rows: names such as "accuracy" or "f1", left out
                        where those rows have none, such as roc_auc of a single class; own functions of
                        (y, predictions, sample_weight=None), pairs (name, function), or `mc.train.Metric`
                        records, which also say whether higher is better, so that callbacks can watch them
    callbacks           `EarlyStopping(patience=5)` and its kin, or as text: "early_stopping:patience=5",
                        several with commas between; the best weights are handed back if one asks for them
    regularizer         `mc.nn.L2(1e-4)`, as text "l2:rate=1e-4", or a NumPy function of the weights; the
                        history's "penalty" is its share. `mc.nn.PerRow` divides it by the rows of the batch
    constraint          `mc.nn.MaxNorm(3)`, as text "max_norm:limit=3", or a NumPy function from weights to
                        weights, applied after every step
    sample_weight       [rows], >= 0; a step's loss is the weighted mean of its rows; those of weight 0 are
                        left out
    shuffle             whether each epoch has its own order of the rows
    seed                one number for split, weights, order and dropout, each in its own stream
    dtype               of the computation: float32 or float64
    threads             the most that native code uses, by default as many as there are cores; the reference
                        takes one. The bits do not depend on it
    backend             "native" or "reference", as for `mc.compile`
    shadow              "reference" compares every operation of every step with it, as for `mc.compile`
    progress            whether to draw a progress bar on standard error, whose last state stays; a line an
                        epoch where that is no terminal
    params              weights to start from, such as another run's `params`; None draws them
    resume              a run to go on with, `epochs` epochs more: weights, moments, history, best weights and
                        the numbering of epochs and steps go on where it stood. With the same rows and
                        settings, m epochs and n more are m + n epochs at once, to the bit; a schedule must
                        not look at the length of the run for that, and a callback not at when it began
    monitor             whether to show the training in a browser while it lasts, as `mc.Monitor()` among the
                        callbacks does: curves, norms of the layers, confusion matrix

    It is `Trainer(network, X, y, ...).run()`; a `Trainer` can be held, advanced step by step, changed and
    saved on the way. Native calls last a tenth of a second at most; short epochs are trained several in one.

    Returns a `Run`. An interrupt (Ctrl-C) ends the training, not the program: the run says "interrupted" and
    holds the best weights so far, or where no callback asked for the best ones what was learnt until then,
    also within an epoch.

    Raises ShapeError where shapes do not fit, DataError for settings out of range and for NaN in X or y, and
    DivergenceError when the loss leaves the finite numbers; its `run` holds the last good weights.

    Source      stochastic approximation, Robbins & Monro 1951; mini-batches are drawn without replacement
    Differs     Keras changes the model in place and takes the last rows for validation; scikit-learn knows
                no losses, callbacks or validation rows of one's own; skorch wraps PyTorch, where the loop is
                yours to write. There the order of the rows depends on what was drawn before; here on the
                seed and the epoch alone.

    >>> import numpy as np, minicolumn as mc
    >>> X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.float32)
    >>> net = mc.nn.Sequential(mc.nn.Dense(8, activation="tanh"), mc.nn.Dense(2))
    >>> run = mc.fit(net, X, np.array([0, 1, 1, 0]), optimizer=mc.optim.Adam(0.1), epochs=60, batch_size=4)
    >>> run.predict(X).argmax(axis=1)
    array([0, 1, 1, 0])
    """
    said = dict(locals())  # every keyword once; a test holds them to those of `Trainer`
    foreign = said.pop("foreign")  # refused by the trainer, with a hint
    return Trainer(**said, **foreign).run()
