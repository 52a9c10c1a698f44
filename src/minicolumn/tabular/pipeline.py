"""From a plan to a trained model and an honest score on rows that took no part in the training."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from minicolumn.model import metrics
from minicolumn.model.files import PathLike
from minicolumn.model.model import Model
from minicolumn.nn.outputs import ClassOutputs
from minicolumn.tables import Schema
from minicolumn.tables.frames import as_frame
from minicolumn.tabular.calibrate import calibrated
from minicolumn.tabular.plan import Part, Plan
from minicolumn.train.callbacks import Callback, EarlyStopping
from minicolumn.train.fit import fit
from minicolumn.train.history import History
from minicolumn.train.run import Run

if TYPE_CHECKING:
    import polars

Array = np.ndarray


@dataclass(frozen=True, eq=False, repr=False)
class TableRun:
    """What training from a table hands back.

    model      with its encoder; takes raw rows
    schema     what was found in the table
    run        what `fit` handed back
    metrics    scores on the test rows, which took no part in training
    baseline   what always answering with the class shares, or the mean, scores on the same rows
    confusion  counts [right class, predicted class] on the test rows; None for numbers
    rows       how many rows trained, validated and tested
    """

    model: Model
    schema: Schema
    run: Run
    metrics: dict[str, float]
    baseline: dict[str, float]
    confusion: Array | None
    rows: dict[str, int]

    @property
    def history(self) -> History:
        """Return the history of the training."""
        return self.run.history

    def predict(self, rows: Any) -> Array:
        """Return labels, or numbers in the target's unit, for raw rows in any form that `fit_table` takes.

        Returns     [rows]; `run.model` has probabilities, quantiles and intervals too
        """
        return self.model.predict_table(as_frame(rows))

    def save(self, path: PathLike) -> None:
        """Write the model file, which `mc.load` and the command line open; see `Model.save`."""
        self.model.save(path)

    def __repr__(self) -> str:
        return "\n".join([self._what(), *self._how(), *self._scores()])

    def _what(self) -> str:
        classes = f"{len(self.schema.classes)} classes" if self.schema.classes else "a number"
        return f"TableRun: predicts {self.schema.target!r}, {classes}"

    def _how(self) -> list[str]:
        run, rows = self.run, self.rows
        return [
            f"  {rows['train']:,} rows trained, {rows['validation']:,} validated, {rows['test']:,} tested",
            f"  {len(self.history)} epochs in {run.seconds:.2g} s, {run.stopped}; weights of epoch "
            f"{run.best_epoch}",
        ]

    def _scores(self) -> list[str]:
        lines = [f"  {'on the test rows':<19}{'model':>10}{'baseline':>10}"]
        for name, score in self.metrics.items():
            other = self.baseline.get(name)
            lines.append(f"  {name:<19}{score:>10.4g}{'-' if other is None else f'{other:.4g}':>10}")
        return lines


def train_plan(plan: Plan, *, callbacks: Sequence[Callback] = (), progress: bool | None = None) -> TableRun:
    """Train a network as planned, calibrate it, and score it on the test rows.

    callbacks   hung into the training, beside early stopping
    progress    whether to draw a progress bar on standard error
    Errors      DivergenceError; its `run` holds the last good weights
    """
    recipe, held = plan.recipe, plan.validation
    run = fit(
        recipe.network,
        plan.train.X,
        plan.train.target,
        validation_data=(held.X, held.target),
        loss=recipe.loss,
        optimizer=recipe.optimizer,
        schedule=recipe.schedule,
        batch_size=recipe.batch_size,
        epochs=recipe.epochs,
        metrics=recipe.metrics,
        callbacks=[EarlyStopping(recipe.patience, monitor=recipe.monitor), *callbacks],
        seed=plan.settings.seed,
        progress=progress,
    )
    model = replace(_calibrated(run.model, held), data_hash=data_hash(plan.train.frame))
    return _scored(plan, with_table(plan, model), run)


def with_table(plan: Plan, model: Model) -> Model:
    """Return a model that takes the raw rows of the plan's table."""
    return replace(model, table=plan.encoder, schema=plan.schema)


def _calibrated(model: Model, held: Part) -> Model:
    """Return the model with the temperature that suits the validation rows; only probabilities have one."""
    if not isinstance(model.outputs, ClassOutputs) or not model.outputs.are_probabilities:
        return model
    return calibrated(model, held.X, held.y)


def _scored(plan: Plan, model: Model, run: Run) -> TableRun:
    encoder = plan.encoder
    scores, right, guess = model.score_encoded(plan.test.X, plan.test.y)
    table = None
    if encoder.classes is None:
        baseline = metrics.mean_baseline(encoder.in_unit(plan.train.y), right)
    else:
        baseline = metrics.majority_baseline(plan.train.y, right, len(encoder.classes))
        table = metrics.confusion(right, guess, len(encoder.classes))
    model.metrics.update({"test": scores, "baseline": baseline})
    return TableRun(model, plan.schema, run, scores, baseline, table, plan.rows)


def data_hash(frame: polars.DataFrame) -> str:
    """Return the SHA-256 of the training rows' values, in order."""
    digest: Any = hashlib.sha256("\x1f".join(frame.columns).encode())
    digest.update(frame.hash_rows(seed=0).to_numpy().tobytes())
    return "sha256:" + digest.hexdigest()
