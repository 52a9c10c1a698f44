"""What `minicolumn train` says of a training: the plan before it, how it went, and the scores after it."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from minicolumn.cli.score_report import show_confusion, show_scores
from minicolumn.cli.screen import count, labelled, visible
from minicolumn.cli.table_report import show_remarks, show_table
from minicolumn.nn.layers.dense import Dense
from minicolumn.nn.layers.spline import PiecewiseDense
from minicolumn.nn.losses import as_loss
from minicolumn.optim import Clipped, Optimizer
from minicolumn.tabular.ensemble import EnsembleRun
from minicolumn.tabular.pipeline import TableRun
from minicolumn.tabular.plan import TablePlan
from minicolumn.train.progress import duration, speed


def announce(console: Console, name: str, plan: TablePlan) -> None:
    """Print the schema, the network, and how it is going to be trained.

    name        of the table
    """
    show_table(console, name, plan.schema)
    show_remarks(console, plan.remarks)
    recipe = plan.recipe
    said = f"{_rows(plan)}; {_steps(recipe.optimizer)}, batches of {recipe.batch_size}"
    chosen = [str(record) for record in (plan.settings.loss, plan.settings.schedule) if record is not None]
    said = "; ".join([said, *chosen, *_incomparable(recipe.loss)])
    console.print()
    title = f"{len(plan.members)} networks" if plan.members else "Network"
    network = (Text(title, "bold"), Text(_shape(plan), "dim"))
    console.print(labelled([network, (Text("Training", "bold"), Text(said, "dim"))]))


def _rows(plan: TablePlan) -> str:
    """Describe which rows train and which are held out."""
    rows = plan.rows
    if not plan.members:
        return f"{count(rows['train'], 'row')}, {rows['validation']:,} more to validate"
    held = len(plan.members[0].held)
    return f"{count(rows['train'], 'row')}, of which each network holds {held:,} out"


def _incomparable(loss: Any) -> list[str]:
    """Return a line where the loss of the steps is of other labels than that of the validation rows."""
    record = as_loss(loss)
    smoothing = None if record is None else record.settings.get("label_smoothing")
    return [f"loss is of labels smoothed by {smoothing:g}, val_loss of plain ones"] if smoothing else []


def _steps(optimizer: Optimizer) -> str:
    """Describe an optimizer: its learning rate, and what is not at its default."""
    if isinstance(optimizer, Clipped):
        return f"{_steps(optimizer.optimizer)}, gradients clipped at {optimizer.norm:g}"
    usual = {field.name: field.default for field in fields(optimizer)}
    known = {name: getattr(optimizer, name) for name in usual if name != "learning_rate"}
    others = [f", {name} {value}" for name, value in known.items() if value != usual[name]]
    return f"{type(optimizer).__name__}, learning rate {optimizer.learning_rate:g}{''.join(others)}"


def _shape(plan: TablePlan) -> str:
    """Describe the network: layer sizes from features to outputs, and the activations between them."""
    layers = getattr(plan.recipe.network, "layers", ())
    dense = [layer for layer in layers if isinstance(layer, Dense | PiecewiseDense)]
    sizes = " - ".join(str(size) for size in (len(plan.encoder.features), *(layer.units for layer in dense)))
    used = dict.fromkeys(str(layer.activation) for layer in dense[:-1])
    return f"{sizes}, {', '.join(used)}"


def how_it_went(done: TableRun) -> Padding:
    """Return a line on epochs, speed, and which weights were kept."""
    run, epochs = done.run, len(done.history)
    ends = {
        "early stopping": "; stopped early",
        "out of time": "; out of time",
        "interrupted": "; interrupted",
    }
    how, which = f"{count(epochs, 'epoch')} in", f"weights of epoch {run.best_epoch} kept"
    if isinstance(run, EnsembleRun):
        how = f"{count(len(run.members), 'network')} of up to {count(epochs, 'epoch')} in"
        which = _which(run)
    elif not run.best_epoch:
        which = "weights from within the first epoch kept"
    line = f"{how} {duration(run.seconds)}, {speed(run.steps_per_second)}{ends.get(run.stopped, '')}; {which}"
    return Padding(Text(line), (0, 0, 0, 2))


def _which(run: EnsembleRun) -> str:
    """Return which members are in the model."""
    parts = [f"{len(run.kept)} averaged"]
    left = len(run.members) - len(run.kept)
    parts += [f"{left} left out, which did not help"] if left else []
    parts += [f"{len(run.diverged)} diverged and were dropped"] if run.diverged else []
    return ", ".join(parts)


def show_results(console: Console, done: TableRun) -> None:
    """Print test metrics, baseline and confusion matrix."""
    classes = done.schema.classes
    guess = (
        "always answers with the shares of the classes"
        if classes
        else "always answers with the mean of the training rows"
    )
    rows = f"{count(done.rows['test'], 'row')} that took no part in the training"
    show_scores(
        console, rows, done.metrics, done.baseline, guess, done.right, verdict=True, held=done.out_of_fold
    )
    threshold = done.model.table.threshold if done.model.table is not None else 0.5
    if threshold != 0.5:
        line = f"{classes[1]} is predicted from a probability of {threshold:.3g} on"
        console.print(Text(f"  {visible(line)}", "dim"))
    if done.confusion is not None:
        show_confusion(console, done.confusion, classes)


def summary_of(done: TableRun, columns: int, model: str) -> dict[str, Any]:
    """Return a training as JSON values, as `train --json` tells it.

    columns     of the table; model: the path of the file
    """
    return {
        "task": done.schema.task,
        "rows": done.schema.rows,
        "columns": columns,
        "metrics": done.metrics,
        "baseline": done.baseline,
        "threshold": done.model.table.threshold if done.model.table is not None else None,
        "members": len(done.run.kept) if isinstance(done.run, EnsembleRun) else 1,
        "out_of_fold": done.out_of_fold,
        "epochs": len(done.history),
        "seconds": done.run.seconds,
        "steps_per_second": done.run.steps_per_second,
        "model": model,
    }
