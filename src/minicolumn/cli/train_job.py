"""The work of `minicolumn train`: look at everything first, then train, score, save and say so."""

from __future__ import annotations

import os
import shlex
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from minicolumn.cli.json_line import print_json
from minicolumn.cli.options import (
    make_named,
    parse_activations,
    parse_columns,
    parse_hidden,
)
from minicolumn.cli.picture import check_picture, draw_curves
from minicolumn.cli.progress import watch
from minicolumn.cli.run import DONE, Interrupted
from minicolumn.cli.save import check_writable, file_size, save_model
from minicolumn.cli.score_report import show_confusion, show_scores
from minicolumn.cli.screen import count, heading, labelled, open_console, visible, working
from minicolumn.cli.source import find_target, read_source, short_name
from minicolumn.cli.table_report import show_table
from minicolumn.cli.train import Wishes
from minicolumn.errors import DataError, DivergenceError
from minicolumn.nn.layers.dense import Dense
from minicolumn.nn.losses import Loss
from minicolumn.optim import Clipped, Optimizer, optimizer_by_name, schedule_by_name
from minicolumn.tabular.pipeline import TableRun, train_plan, with_table
from minicolumn.tabular.plan import Plan, plan_table
from minicolumn.tabular.recipe import HIDDEN
from minicolumn.tabular.settings import TableSettings, check_one_rate
from minicolumn.train.callbacks import Callback, Checkpoint, as_seconds
from minicolumn.train.interrupts import deferred
from minicolumn.train.progress import duration, speed

if TYPE_CHECKING:
    import polars

    from minicolumn.model import Model


def run_training(wishes: Wishes) -> int:
    """Train as wished and return the exit code."""
    _check(wishes)
    console = open_console(to_stderr=wishes.as_json, quiet=wishes.quiet)
    frame = read_source(wishes.data, console)
    settings = _settings(wishes, frame)
    if wishes.test and _same_file(wishes.test, wishes.data):
        raise DataError("--test is the same file as DATA; test on rows that take no part in the training")
    test = read_source(wishes.test, console) if wishes.test else None
    with working(console, "Planning"):
        plan = plan_table(frame, settings, test)
    _announce(console, wishes, plan)
    try:
        done = train_plan(plan, callbacks=_watchers(wishes, console), resume=wishes.resume)
    except DivergenceError as error:
        raise _salvaged(error, plan, _place(wishes)) from None
    return _finish(console, wishes, done, frame.width)


def _watchers(wishes: Wishes, console: Console) -> list[Callback]:
    """Return what shows a training, and what keeps its state in a file."""
    shown = list(watch(console, wishes.as_json))
    if wishes.checkpoint is None:
        return shown
    return [*shown, Checkpoint(wishes.checkpoint, wishes.every)]


def _same_file(one: str, other: str) -> bool:
    return os.path.exists(one) and os.path.exists(other) and os.path.samefile(one, other)


def _place(wishes: Wishes) -> str:
    """Return where the model goes."""
    return wishes.out if wishes.out is not None else f"{short_name(wishes.data)}.safetensors"


def _inputs(wishes: Wishes) -> tuple[str, ...]:
    """Return the files that are read, none of which may be replaced."""
    return (wishes.data, wishes.test) if wishes.test else (wishes.data,)


def _check(wishes: Wishes) -> None:
    """Refuse, before anything is read, what cannot be used."""
    _parts(wishes)
    check_one_rate("--learning-rate", wishes.optimizer, wishes.learning_rate)
    check_writable("--out", _place(wishes), _inputs(wishes))
    as_seconds("--every", wishes.every)
    if wishes.checkpoint is not None:
        check_writable("--checkpoint", wishes.checkpoint, (*_inputs(wishes), _place(wishes)))
    if wishes.plot is not None:
        check_picture(wishes.plot)
        check_writable("--plot", wishes.plot, (*_inputs(wishes), _place(wishes)))


def _parts(wishes: Wishes) -> dict[str, Any]:
    """Return what texts stand for: the records that they name, and the hidden layers."""
    hidden = parse_hidden(wishes.hidden)
    return {
        "loss": make_named("--loss", wishes.loss, Loss),
        "optimizer": make_named("--optimizer", wishes.optimizer, optimizer_by_name),
        "schedule": make_named("--schedule", wishes.schedule, schedule_by_name),
        "hidden": hidden,
        "activation": parse_activations(wishes.activation, len(hidden or HIDDEN)),
    }


def _settings(wishes: Wishes, frame: polars.DataFrame) -> TableSettings:
    """Return what is trained by: options are handed on under their names, but for those that take reading."""
    read = _parts(wishes) | {
        "target": find_target(wishes.target, wishes.data, frame),
        "drop": parse_columns("--drop", wishes.drop, frame.columns),
        "categorical": parse_columns("--categorical", wishes.categorical, frame.columns),
    }
    said = {field.name: getattr(wishes, field.name) for field in fields(wishes)}
    known = {field.name for field in fields(TableSettings)}
    return TableSettings(**{name: value for name, value in (said | read).items() if name in known})


def _announce(console: Console, wishes: Wishes, plan: Plan) -> None:
    """Say what was found in the table, and what is going to be trained on it."""
    show_table(console, short_name(wishes.data), plan.schema)
    recipe, rows = plan.recipe, plan.rows
    said = (
        f"{rows['train']:,} rows, {rows['validation']:,} more to validate; "
        f"{_steps(recipe.optimizer)}, batches of {recipe.batch_size}"
    )
    chosen = [str(record) for record in (plan.settings.loss, plan.settings.schedule) if record is not None]
    said = "; ".join([said, *chosen])
    console.print()
    network = (Text("Network", "bold"), Text(_shape(plan), "dim"))
    console.print(labelled([network, (Text("Training", "bold"), Text(said, "dim"))]))


def _steps(optimizer: Optimizer) -> str:
    """Return an optimizer in words: its rate, and what else is not as it is by default."""
    if isinstance(optimizer, Clipped):
        return f"{_steps(optimizer.optimizer)}, gradients clipped at {optimizer.norm:g}"
    usual = {field.name: field.default for field in fields(optimizer)}
    known = {name: getattr(optimizer, name) for name in usual if name != "learning_rate"}
    others = [f", {name} {value}" for name, value in known.items() if value != usual[name]]
    return f"{type(optimizer).__name__}, learning rate {optimizer.learning_rate:g}{''.join(others)}"


def _shape(plan: Plan) -> str:
    """Return the sizes of the layers from the features to the outputs, and the activations between them."""
    dense = [layer for layer in getattr(plan.recipe.network, "layers", ()) if isinstance(layer, Dense)]
    sizes = " - ".join(str(size) for size in (len(plan.encoder.features), *(layer.units for layer in dense)))
    used = dict.fromkeys(str(layer.activation) for layer in dense[:-1])
    return f"{sizes}, {', '.join(used)}"


def _finish(console: Console, wishes: Wishes, done: TableRun, columns: int) -> int:
    """Save the model, then say how the training went and how good it is."""
    interrupted = done.run.stopped == "interrupted"
    if interrupted and not done.run.snapshot.step:
        raise KeyboardInterrupt
    console.print(_how_it_went(done))
    replaced = os.path.exists(_place(wishes))
    if interrupted:
        console.print(Text(f"  saving {visible(_place(wishes))}", "dim"))
    with deferred(again=not interrupted):  # another Ctrl-C waits for the file
        trouble = _saved(done.model, _place(wishes))
    _show_results(console, done)
    if wishes.plot is not None:
        _draw(wishes, done)
    if trouble is not None:
        raise trouble
    _say_where(console, wishes, replaced)
    if wishes.as_json:
        print_json(_summary(wishes, done, columns))
    if interrupted:
        epochs = count(len(done.history), "epoch")
        raise Interrupted(f"interrupted after {epochs}; what was learnt is saved in {_place(wishes)}")
    return DONE


def _how_it_went(done: TableRun) -> Padding:
    run, epochs = done.run, len(done.history)
    ends = {"early stopping": "stopped early", "interrupted": "interrupted"}
    how = f"{count(epochs, 'epoch')} in {duration(run.seconds)}, {speed(run.steps_per_second)}"
    how += f"; {ends[run.stopped]}" if run.stopped in ends else ""
    which = f"weights of epoch {run.best_epoch}" if run.best_epoch else "weights from within the first epoch"
    return Padding(Text(f"{how}; {which} kept"), (0, 0, 0, 2))


def _saved(model: Model, place: str) -> DataError | None:
    """Save the model; return what went wrong, so that the scores can still be shown first."""
    try:
        save_model(model, place)
    except DataError as error:
        return error
    return None


def _show_results(console: Console, done: TableRun) -> None:
    classes = done.schema.classes
    guess = (
        "always answers with the shares of the classes"
        if classes
        else "always answers with the mean of the training rows"
    )
    rows = f"{count(done.rows['test'], 'row')} that took no part in the training"
    show_scores(console, rows, done.metrics, done.baseline, guess)
    if done.confusion is not None:
        show_confusion(console, done.confusion, classes)


def _draw(wishes: Wishes, done: TableRun) -> None:
    from minicolumn.model.files import write_atomically

    assert wishes.plot is not None
    title = f"{short_name(wishes.data)}: {done.schema.target}"
    suffix = Path(wishes.plot).suffix.lower()
    picture = draw_curves(done.history, done.run.best_epoch, title, suffix)
    write_atomically(wishes.plot, [picture])


def _say_where(console: Console, wishes: Wishes, replaced: bool) -> None:
    place = visible(_place(wishes))
    size = file_size(_place(wishes)) + (", in place of an older file" if replaced else "")
    console.print(heading("Saved", f"{place} ({size})"), soft_wrap=True)
    if wishes.plot is not None:
        console.print(Text(f"       {visible(wishes.plot)}", "dim"), soft_wrap=True)
    use = f"\n  minicolumn predict {visible(shlex.quote(_place(wishes)))} NEW_ROWS"
    console.print(Text(use, "dim"), soft_wrap=True)


def _summary(wishes: Wishes, done: TableRun, columns: int) -> dict[str, Any]:
    return {
        "task": done.schema.task,
        "rows": done.schema.rows,
        "columns": columns,
        "metrics": done.metrics,
        "baseline": done.baseline,
        "epochs": len(done.history),
        "seconds": done.run.seconds,
        "steps_per_second": done.run.steps_per_second,
        "model": _place(wishes),
    }


def _salvaged(error: DivergenceError, plan: Plan, place: str) -> DataError:
    """Save the last good weights of a training that diverged, and return what to say about it."""
    run = getattr(error, "run", None)
    if run is None or not run.best_epoch:
        return DataError(f"{error}; nothing was saved")
    model = with_table(plan, run.model)
    model.metrics.update({"test": model.score_encoded(plan.test.X, plan.test.y)[0]})
    save_model(model, place)
    return DataError(f"{error}; the weights of epoch {run.best_epoch} are saved in {place!r}")
