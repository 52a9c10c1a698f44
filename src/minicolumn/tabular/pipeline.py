"""Training pipeline of a table: fit, calibrate, and evaluate on test rows that took no part in training."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from minicolumn.errors import DataError
from minicolumn.model import metrics
from minicolumn.model.files import PathLike, shown
from minicolumn.model.model import Model
from minicolumn.model.residuals import residuals_of
from minicolumn.nn.outputs import ClassOutputs, NumberOutputs, Outputs
from minicolumn.tables import Schema
from minicolumn.tables.files.frames import as_frame
from minicolumn.tables.typed import Remark
from minicolumn.tabular.budget import fitted_to
from minicolumn.tabular.calibrate import calibrated
from minicolumn.tabular.card import table_card
from minicolumn.tabular.ensemble import EnsembleRun, Watch, out_of_fold, train_ensemble
from minicolumn.tabular.member_checkpoints import load_states, states_of
from minicolumn.tabular.plan import TablePlan, TableSplit
from minicolumn.tabular.training import resumed, table_trainer
from minicolumn.train.callbacks import Callback, Checkpoint
from minicolumn.train.history import History
from minicolumn.train.interrupts import deferred, heard_once
from minicolumn.train.run import Run
from minicolumn.train.trainer import Trainer

if TYPE_CHECKING:
    import polars

Array = np.ndarray


@dataclass(frozen=True, eq=False, repr=False)
class TableRun:
    """The result of a training on a table.

    model      with its encoder; takes raw rows
    schema     what was found in the table
    run        how it was trained: of one network what `fit` handed back, of an ensemble a `EnsembleRun`
    metrics    scores on the test rows, which took no part in training
    baseline   what always answering with the class shares, or the mean, scores on the same rows
    confusion  confusion matrix [right class, predicted class] on the test rows; None for numbers
    rows       how many rows trained, validated and tested
    right      the right answers of the test rows: class codes, or numbers in the target's unit
    out_of_fold     of an ensemble, scores on the rows that it learnt from, each answered by the members that
               had not seen it, which are fewer than the whole has; rows count by their weights, where
               those tested count alike. None for one network
    remarks    what was noticed of columns while they were read

    Differs    scikit-learn's `fit` returns the estimator alone; how good it is takes a split and a score more
    """

    model: Model
    schema: Schema
    run: Run | EnsembleRun
    metrics: dict[str, float]
    baseline: dict[str, float]
    confusion: Array | None
    rows: dict[str, int]
    right: Array
    remarks: tuple[Remark, ...] = ()
    out_of_fold: dict[str, float] | None = None

    @property
    def history(self) -> History:
        """The learning curves: one row an epoch."""
        return self.run.history

    def predict(self, rows: Any) -> Array:
        """Predict raw rows in any form that `fit_table` takes: labels, or numbers in the target's unit.

        Returns     [rows]; ``run.model`` has probabilities, quantiles and intervals too
        Errors      DataError, with column and row, for a missing column and for words where numbers were
        """
        return self.model.predict_table(as_frame(rows))

    def save(self, path: PathLike) -> None:
        """Write the model file, which `mc.load` and the command line open; see `Model.save`."""
        self.model.save(path)

    def __repr__(self) -> str:
        return "\n".join([self._what(), *self._how(), *self._scores()])

    def _what(self) -> str:
        """Return the first line of the summary: the target and its kind."""
        classes = f"{len(self.schema.classes)} classes" if self.schema.classes else "a number"
        return f"TableRun: predicts {self.schema.target!r}, {classes}"

    def _how(self) -> list[str]:
        """Return the lines on the split and the training."""
        run, rows = self.run, self.rows
        if isinstance(run, EnsembleRun):
            return [
                f"  {rows['train']:,} rows trained, each held out by some members, {rows['test']:,} tested",
                f"  {len(run.members)} networks of up to {len(self.history)} epochs in {run.seconds:.2g} s, "
                f"{run.stopped}; {len(run.kept)} averaged"
                + (f", {len(run.diverged)} diverged" if run.diverged else ""),
            ]
        return [
            f"  {rows['train']:,} rows trained, {rows['validation']:,} validated, {rows['test']:,} tested",
            f"  {len(self.history)} epochs in {run.seconds:.2g} s, {run.stopped}; weights of epoch "
            f"{run.best_epoch}",
        ]

    def _scores(self) -> list[str]:
        """Return the table of metrics beside the baseline's."""
        held = self.out_of_fold
        lines = [
            f"  {'on the test rows':<19}{'model':>10}{'baseline':>10}"
            + ("out of fold" if held else "").rjust(13)
        ]
        for name, score in self.metrics.items():
            figures = [score, self.baseline.get(name)]
            shown = "".join(f"{'-' if figure is None else f'{figure:.4g}':>10}" for figure in figures)
            lines.append(f"  {name:<19}{shown}" + (f"{held[name]:>13.4g}" if held and name in held else ""))
        return [line.rstrip() for line in lines]


@heard_once()
def train_plan(
    plan: TablePlan,
    *,
    callbacks: Sequence[Callback] = (),
    progress: bool | None = None,
    resume: PathLike | None = None,
    watch: AbstractContextManager[Watch] | None = None,
) -> TableRun:
    """Train a network, or the members of an ensemble, as planned; calibrate, and evaluate on the test rows.

    plan        of `plan_table`
    callbacks   hung into the training of one network, beside early stopping; of an ensemble a `Checkpoint`
    progress    whether to draw a progress bar on standard error
    resume      a checkpoint of this training, to be gone on with
    watch       shows how far the members of an ensemble are: a context of what `run_side_by_side` tells
    Returns     a `TableRun`; after Ctrl-C that of the epochs so far, with run.stopped "interrupted"
    Errors      DivergenceError, whose `run` holds the last good weights; DataError for a checkpoint of other
                rows, of another network or of other settings
    """
    if plan.members:
        return _train_members(plan, callbacks, progress, resume, watch)
    held = plan.validation
    hung = [_with_classes(callback, plan.encoder.classes) for callback in callbacks]
    if plan.settings.time is not None:
        plan, hung = _in_time(plan, hung)
    trainer = _trainer(plan, hung, progress)
    if resume is not None:
        if (several := load_states(resume)) is not None:
            raise DataError(f"resume: {shown(resume)} is of {several.count} networks; say members")
        trainer = resumed(resume, trainer, plan.train.given(), held.given())
    run = trainer.run()
    # Who was interrupted once may be so again while what was learnt is scored.
    with deferred(again=run.stopped != "interrupted"):
        model = replace(_calibrated(run.model, held), data_hash=data_hash(plan.train.frame))
        predicted = model.predict(held.X)
        plan = with_threshold(plan, model.outputs, predicted, held.y, held.weight)
        model = with_residuals(model, predicted, held.y, held.weight)
        return scored(plan, with_table(plan, model), run)


def _in_time(plan: TablePlan, callbacks: list[Callback]) -> tuple[TablePlan, list[Callback]]:
    """Return the plan with as many epochs as fit into its budget, and callbacks that end it there."""
    began = time.monotonic()
    fitted, deadline = fitted_to(plan, lambda hung: _trainer(plan, hung, None), began, 1)
    return fitted, [*callbacks, deadline]


def _trainer(plan: TablePlan, callbacks: Sequence[Callback], progress: bool | None) -> Trainer:
    """Return the trainer of a plan's one network."""
    held, seed = plan.validation.given(), plan.settings.seed
    return table_trainer(plan.recipe, plan.train.given(), held, callbacks, seed=seed, progress=progress)


def _train_members(
    plan: TablePlan,
    callbacks: Sequence[Callback],
    progress: bool | None,
    resume: PathLike | None,
    watch: AbstractContextManager[Watch] | None,
) -> TableRun:
    """Train an ensemble as planned, and evaluate it."""
    files = [callback for callback in callbacks if type(callback) is Checkpoint]
    if len(files) < len(callbacks) or len(files) > 1:
        raise DataError("train: callbacks or a monitor: of one network only; say members=1")
    if plan.settings.time is not None and (files or resume is not None):
        raise DataError("time: a checkpoint goes on with what was planned, not with what fits; leave one out")
    states = states_of(len(plan.members), files[0] if files else None, resume)
    with watch or _bar(progress, plan.recipe.monitor) as tell:
        run = train_ensemble(plan, tell, states)
    with deferred(again=run.stopped != "interrupted"):
        model = replace(run.model, data_hash=data_hash(plan.train.frame))
        predicted, rows = out_of_fold(run.kept, len(plan.train.X))
        y, weight = plan.train.y[rows], None if plan.train.weight is None else plan.train.weight[rows]
        plan = with_threshold(plan, model.outputs, predicted, y, weight)
        model = with_residuals(model, predicted, y, weight)
        done = scored(plan, with_table(plan, model), run)
        return replace(done, out_of_fold=done.model.score_predictions(predicted, y, weight)[0])


def _with_classes(callback: Callback, classes: Sequence[str] | None) -> Callback:
    """Return a callback that shows classes, such as `mc.Monitor`, with the names of this table's."""
    if classes is None or getattr(callback, "classes", ()) is not None:
        return callback
    return replace(callback, classes=tuple(classes))  # type: ignore[type-var]


def with_table(plan: TablePlan, model: Model) -> Model:
    """Return a model that takes the raw rows of the plan's table: with its encoder and its schema."""
    return replace(model, table=plan.encoder, schema=plan.schema)


def _bar(progress: bool | None, monitor: str) -> AbstractContextManager[Watch]:
    """Return what draws a bar on standard error, if one was asked for."""
    if not progress:
        return nullcontext(lambda progress: None)
    from rich.console import Console

    from minicolumn.tabular.ensemble_progress import members_bar

    return members_bar(Console(stderr=True), monitor, keep=True)


def with_threshold(
    plan: TablePlan, outputs: Outputs | None, predicted: Array, y: Array, weight: Array | None
) -> TablePlan:
    """Return the plan with the decision threshold chosen on rows held out, if one was asked for.

    predicted   for these rows; y: their class codes; weight: of these rows
    """
    rule = plan.settings.threshold
    if rule is None:
        return plan
    if not isinstance(outputs, ClassOutputs) or not outputs.are_probabilities:
        raise DataError("threshold: the loss gives no probabilities to decide by")
    p = outputs.class_scores(predicted)[:, 1]
    return replace(plan, encoder=replace(plan.encoder, threshold=rule.best(p, y, weight)))


def with_residuals(model: Model, predicted: Array, y: Array, weight: Array | None) -> Model:
    """Return a model that knows how far rows held out lie from their predictions; of numbers alone.

    predicted   for these rows, by networks that have not seen them; y: their numbers; weight: of the rows
    """
    if not isinstance(model.outputs, NumberOutputs) or not len(y):
        return model
    found = residuals_of(model.outputs, predicted, y, weight)
    told = {} if found is None else {"residuals": found.to_json()}
    return replace(model, training={**model.training, **told})


def _calibrated(model: Model, held: TableSplit) -> Model:
    """Return the model temperature-scaled by the validation rows; without probabilities as it is."""
    if not isinstance(model.outputs, ClassOutputs) or not model.outputs.are_probabilities:
        return model
    return calibrated(model, held.X, held.y, held.loss_weight)


def scored(plan: TablePlan, model: Model, run: Run | EnsembleRun) -> TableRun:
    """Evaluate a model on the test rows, beside the baseline, and return the run."""
    encoder = plan.encoder
    scores, right, guess = model.score_encoded(plan.test.X, plan.test.y)
    table = None
    if encoder.classes is None:
        baseline = metrics.mean_baseline(encoder.in_unit(plan.train.y), right)
    else:
        baseline = metrics.majority_baseline(plan.train.y, right, len(encoder.classes))
        table = metrics.confusion(right, guess, len(encoder.classes))
    model.metrics.update({"test": scores, "baseline": baseline})
    model = model.with_card(table_card(plan, model))
    return TableRun(model, plan.schema, run, scores, baseline, table, plan.rows, right, plan.remarks)


def data_hash(frame: polars.DataFrame) -> str:
    """Return a digest of the training rows' values, in order: SHA-256 over the rows' hashes by Polars.

    Returns     "sha256:" and 64 hexadecimal digits; Polars' hashes may differ between its versions
    """
    digest: Any = hashlib.sha256("\x1f".join(frame.columns).encode())
    nested = [name for name, dtype in frame.schema.items() if dtype.is_nested()]
    digest.update(frame.drop(nested).hash_rows(seed=0).to_numpy().tobytes())
    for name in nested:  # of which the oldest Polars that is supported has no hash
        digest.update(repr(frame[name].to_list()).encode())
    return "sha256:" + digest.hexdigest()
