"""The learner's network as a model: the file that `mc.load` and `minicolumn predict` open."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from minicolumn.data.points.table import plain_table
from minicolumn.model import Model
from minicolumn.playground.network.learner import Learner
from minicolumn.tables import Encoder, Schema


def model_of(learner: Learner) -> Model:
    """Return the network of now as a model of a table: that of `points_to_csv`, or the table that was sent.

    Two classes under the squared error are the numbers -1 and 1; of more classes there is no table then, and
    the model takes arrays.
    """
    task, measured = learner.task, learner.measured()
    encoder, schema = _table(learner)
    scores = measured["scores"]["test"] or measured["scores"]["train"]
    return Model(
        learner.architecture.network,
        learner.trainer.params,
        (learner.points.X.shape[1],),
        task.record.name,
        encoder,
        training={"epochs": learner.epoch, "rows": int((~learner.points.held).sum())},
        metrics={name: score for name, score in scores.items() if np.isfinite(score)},
        schema=schema,
        loss_settings=dict(task.record.changed),
    )


def _table(learner: Learner) -> tuple[Encoder | None, Schema | None]:
    task = learner.task
    as_numbers = bool(task.classes) and task.loss == "squared_error"
    if as_numbers and task.outputs > 1:
        return None, None
    if learner.table is not None and not as_numbers:
        encoder = learner.table.encoder
        if not task.classes:
            encoder = replace(encoder, target_mean=task.center, target_scale=task.scale)
        return encoder, learner.table.schema
    encoder, schema = plain_table(learner.points, as_numbers)
    if encoder.classes is None:
        encoder = replace(encoder, target_mean=task.center, target_scale=task.scale)
    return encoder, schema
