"""The learner's network as a model: the file that `mc.load` and `minicolumn predict` open."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from minicolumn.model import Model
from minicolumn.playground.network.learner import Learner
from minicolumn.tables import Encoder, Schema, infer_schema
from minicolumn.tables.inputs.numbers import NumberInput
from minicolumn.tables.inputs.scale import Scaler

AS_IT_IS = Scaler(0.0, 1.0, False)
TARGET_NAMES = "class", "target"  # as `points_to_csv` names it


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
    return _plain_table(learner, as_numbers)


def _plain_table(learner: Learner, as_numbers: bool) -> tuple[Encoder, Schema]:
    """Return the table of points in a plane, whose columns are the inputs as they are."""
    import polars

    points, task = learner.points, learner.task
    y = points.signed if as_numbers else points.y
    target = TARGET_NAMES[not task.classes]
    words = [points.classes[int(code)] for code in y] if task.classes and not as_numbers else y
    frame = polars.DataFrame({**dict(zip(points.inputs, points.X.T, strict=True)), target: words})
    kind = None if task.classes and not as_numbers else "regression"
    schema = infer_schema(frame, target, task=kind)
    encoder = Encoder.fit(frame, schema)
    inputs = tuple(replace(part, scale=AS_IT_IS) for part in encoder.inputs if isinstance(part, NumberInput))
    encoder = replace(encoder, inputs=inputs, classes=points.classes if encoder.classes else None)
    if encoder.classes is None:
        encoder = replace(encoder, target_mean=task.center, target_scale=task.scale)
    return encoder, replace(schema, classes=encoder.classes or ())
