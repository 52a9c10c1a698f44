"""The work of `minicolumn train`: validate all options first, then train, evaluate, save and report."""

from __future__ import annotations

import io
import os
import shlex
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.text import Text

from minicolumn.cli.card import check_words, data_of, with_command, with_words
from minicolumn.cli.options import (
    make_named,
    parse_activations,
    parse_hidden,
)
from minicolumn.cli.process import raise_interrupts
from minicolumn.cli.progress import watch, watch_members
from minicolumn.cli.run import DONE, Interrupted
from minicolumn.cli.save import check_writable, file_size, save_model
from minicolumn.cli.score_report import show_folds
from minicolumn.cli.screen import count, heading, open_console, print_json, visible, working
from minicolumn.cli.source import find_target, model_file, read_source, short_name
from minicolumn.cli.table_options import (
    Said,
    by_option,
    parse_class_weight,
)
from minicolumn.cli.train import TrainOptions
from minicolumn.cli.train_report import announce, how_it_went, show_results, summary_of
from minicolumn.errors import DataError, DivergenceError
from minicolumn.model.metric_names import NAMES, figure
from minicolumn.nn.losses import Loss
from minicolumn.optim import optimizer_by_name, schedule_by_name
from minicolumn.picture import check_file
from minicolumn.tabular.efforts import effort_by_name
from minicolumn.tabular.ensemble import EnsembleRun
from minicolumn.tabular.folds import MOST_FOLDS, Folds, cross_validate
from minicolumn.tabular.pipeline import TableRun, train_plan, with_table
from minicolumn.tabular.plan import TablePlan, plan_table
from minicolumn.tabular.recipe import HIDDEN
from minicolumn.tabular.settings import TableSettings, check_one_rate, check_start, check_time
from minicolumn.tabular.start import Start, start_of
from minicolumn.tabular.target_scale import check_target_scale
from minicolumn.tabular.thresholds import check_threshold
from minicolumn.tabular.weights import check_class_weight
from minicolumn.train.callbacks import Callback, Checkpoint, as_seconds, check_callbacks
from minicolumn.train.history_picture import draw_history
from minicolumn.train.interrupts import deferred, heard_once

if TYPE_CHECKING:
    import polars

    from minicolumn.model import Model
    from minicolumn.train import History


def run_training(options: TrainOptions) -> int:
    """Train a network on a table, save it, and return the exit code.

    Errors      DataError before the training for options that cannot be used; after a divergence it
                says where the last good weights are
    """
    _check(options)
    console = open_console(to_stderr=options.as_json, quiet=options.quiet)
    said = Said.of(options)
    frame = read_source(options.data, console, said.reading)
    data = data_of(options.data)  # as it is now: it may be another by the end of the training
    settings = _settings(options, frame, said)
    if options.test and _same_file(options.test, options.data):
        raise DataError("--test is the same file as DATA; test on rows that take no part in the training")
    test = read_source(options.test, console, said.reading) if options.test else None
    with working(console, "Planning"), by_option(type(options)):
        plan = plan_table(frame, settings, test)
    announce(console, short_name(options.data), plan)
    raise_interrupts()
    with heard_once():
        folds = _cross_validated(console, options, frame, settings)
        done = _trained(console, options, plan)
        model = with_command(done.model, "train", options, data)
        done = replace(done, model=model.with_card(with_words(model.card, options)))
        return _finish(console, options, done, frame.width, folds)


def _trained(console: Console, options: TrainOptions, plan: TablePlan) -> TableRun:
    """Train as planned; DataError that says where the last good weights are, after a divergence."""
    try:
        with by_option(type(options)):
            return train_plan(
                plan,
                callbacks=_files(options) if plan.members else _watchers(options, console, plan),
                resume=options.resume,
                watch=watch_members(console, options.as_json, plan.recipe.monitor),
            )
    except DivergenceError as error:
        raise _salvaged(error, plan, _place(options)) from None


def _cross_validated(
    console: Console, options: TrainOptions, frame: polars.DataFrame, settings: TableSettings
) -> Folds | None:
    """Cross-validate, if that was asked for, and print the scores; the model to keep is trained after it."""
    if options.folds is None:
        return None

    def say(number: int, run: TableRun) -> None:
        name, value = next(iter(run.metrics.items()))
        line = f"  fold {number}/{options.folds}  {NAMES.get(name, name)} {figure(name, value)}"
        console.print(Text(line, "dim"))

    console.print()
    folds = cross_validate(frame, settings, options.folds, watch=say)
    show_folds(console, folds)
    return folds


def _watchers(options: TrainOptions, console: Console, plan: TablePlan) -> list[Callback]:
    """Return the callbacks: progress on the terminal and in a browser, and checkpoints."""
    shown = [  # the address comes before a bar is drawn
        *(check_callbacks("train", "monitor") if options.monitor else ()),
        *watch(console, options.as_json, plan.recipe.monitor),
    ]
    return [*shown, *_files(options)]


def _files(options: TrainOptions) -> list[Callback]:
    """Return the callback that writes checkpoints, if any are to be written."""
    return [] if options.checkpoint is None else [Checkpoint(options.checkpoint, options.every)]


def _same_file(one: str, other: str) -> bool:
    return os.path.exists(one) and os.path.exists(other) and os.path.samefile(one, other)


def _place(options: TrainOptions) -> str:
    """Return the path of the model file."""
    return options.out if options.out is not None else f"{short_name(options.data)}.safetensors"


def _inputs(options: TrainOptions) -> tuple[str, ...]:
    """Return the paths of the input files, none of which may be replaced."""
    return (options.data, options.test) if options.test else (options.data,)


def _check(options: TrainOptions) -> None:
    """Validate, before anything is read, options and output paths."""
    _parts(options)
    check_words(options)
    check_one_rate("--learning-rate", options.optimizer, options.learning_rate)
    check_writable("--out", _place(options), _inputs(options))
    as_seconds("--every", options.every)
    _check_members(options)
    if options.folds is not None and not 2 <= options.folds <= MOST_FOLDS:
        raise DataError(f"--folds: expected a number from 2 to {MOST_FOLDS}, got {options.folds}")
    if options.every != type(options).every and options.checkpoint is None:
        raise DataError("--every says how often --checkpoint FILE is written; name the file, too")
    if options.checkpoint is not None:
        check_writable("--checkpoint", options.checkpoint, (*_inputs(options), _place(options)))
    if options.plot is not None:
        check_file("--plot", options.plot)
        check_writable("--plot", options.plot, (*_inputs(options), _place(options)))


def _check_members(options: TrainOptions) -> None:
    """Validate what is said of the members, and what follows one training alone."""
    effort_by_name("--effort", options.effort)
    check_time("--time", options.time)
    if options.monitor and _members(options) != 1:
        raise DataError("--monitor follows the training of one network; say --members 1")
    if options.time is not None and _members(options) != 1 and (options.checkpoint or options.resume):
        raise DataError(
            "--time: a checkpoint goes on with what was planned, not with what fits; leave one out"
        )


def _members(options: TrainOptions) -> int | None:
    """Return how many networks are trained: as was said, or the one that is followed; None by the effort."""
    if options.members is None and options.effort is None and options.monitor:
        return 1
    return options.members


def _parts(options: TrainOptions) -> dict[str, Any]:
    """Return the records and layer sizes that texts stand for."""
    hidden = parse_hidden(options.hidden)
    return {
        "loss": make_named("--loss", options.loss, Loss),
        "optimizer": make_named("--optimizer", options.optimizer, optimizer_by_name),
        "schedule": make_named("--schedule", options.schedule, schedule_by_name),
        "class_weight": check_class_weight(
            "--class-weight", parse_class_weight("--class-weight", options.class_weight)
        ),
        "threshold": check_threshold("--threshold", options.threshold),
        "target_scale": check_target_scale("--target-scale", options.target_scale),
        "members": _members(options),
        "effort": options.effort or "normal",
        "time": check_time("--time", options.time),
        "hidden": hidden,
        "activation": parse_activations(options.activation, len(hidden or HIDDEN)),
    }


def _settings(options: TrainOptions, frame: polars.DataFrame, table: Said) -> TableSettings:
    """Return the hyperparameters: options under their own names, but for those that need parsing."""
    overrides, target, task = table.of_table(frame.columns, options.target, options.task)
    read = _parts(options) | {
        "target": find_target(target, options.data, frame),
        "task": task,
        "overrides": overrides,
    }
    with by_option(type(options)):
        read["start"] = _start(options)
        check_start("", read["start"], read | {"dropout": options.dropout})
    said = {field.name: getattr(options, field.name) for field in fields(options)}
    known = {field.name for field in fields(TableSettings)}
    return TableSettings(**{name: value for name, value in (said | read).items() if name in known})


def _start(options: TrainOptions) -> Start | None:
    """Return the network to start from, and how."""
    freeze: bool | int = False
    if options.freeze is not None:
        word = options.freeze.strip().lower()
        if word not in ("all", "none") and not (word.isascii() and word.isdigit() and len(word) < 6):
            raise DataError(f"freeze: expected all, none or a number of layers, got {options.freeze!r:.60}")
        freeze = word == "all" if word in ("all", "none") else int(word)
    rates = None if options.layer_rates is None else options.layer_rates.split(",")
    if options.init_from is None:
        for name, value in (("freeze", freeze), ("layer_rates", rates), ("unfreeze", options.unfreeze)):
            if value is not None and value is not False:
                raise DataError(f"{name}: goes with --from, a network to start from")
        return None
    found = start_of("", model_file(options.init_from), freeze, rates, options.unfreeze)
    return None if found is None else replace(found, name=options.init_from)


def _finish(
    console: Console, options: TrainOptions, done: TableRun, columns: int, folds: Folds | None = None
) -> int:
    """Save the model, then report on the test.

    Ctrl-C waits for the file; where saving fails, the metrics are still shown first.
    """
    interrupted = done.run.stopped == "interrupted"
    if interrupted and not done.run.steps:
        raise KeyboardInterrupt
    console.print(how_it_went(done))
    replaced = os.path.exists(_place(options))
    if interrupted:
        console.print(Text(f"  saving {visible(_place(options))}", "dim"))
    with deferred():  # Ctrl-C waits for the file
        trouble = _saved(done.model, _place(options))
    show_results(console, done)
    if options.plot is not None:
        _draw(options, done)
    if trouble is not None:
        raise trouble
    _say_where(console, options, replaced)
    if options.as_json:
        scored = {} if folds is None else {"folds": folds.metrics}
        print_json({**summary_of(done, columns, _place(options)), **scored})
    if interrupted:
        epochs = count(len(done.history), "epoch")
        if isinstance(done.run, EnsembleRun):
            epochs = count(len(done.run.members), "network")
        raise Interrupted(f"interrupted after {epochs}; what was learnt is saved in {_place(options)}")
    return DONE


def _saved(model: Model, place: str) -> DataError | None:
    """Save the model; return what went wrong, so that the scores can still be shown first."""
    try:
        save_model(model, place)
    except DataError as error:
        return error
    return None


def _draw(options: TrainOptions, done: TableRun) -> None:
    """Write the learning curves to the picture that was asked for."""
    from minicolumn.model.files import write_atomically

    assert options.plot is not None
    title = f"{short_name(options.data)}: {done.schema.target}"
    suffix = Path(options.plot).suffix.lower()
    picture = draw_curves(done.history, done.run.best_epoch, title, suffix)
    write_atomically(options.plot, [picture])


def draw_curves(history: History, best_epoch: int, title: str, suffix: str) -> bytes:
    """Return the learning curves as a picture: losses and metrics by epoch, and the epoch that was kept.

    suffix      ".png", ".svg" or ".pdf", which says what the bytes are
    """
    stream = io.BytesIO()
    figure = draw_history(history, best_epoch, title).figure
    figure.savefig(stream, format=suffix.removeprefix("."), dpi=160)
    return stream.getvalue()


def _say_where(console: Console, options: TrainOptions, replaced: bool) -> None:
    """Print where the model is, and how to predict with it."""
    place = visible(_place(options))
    size = file_size(_place(options)) + (", in place of an older file" if replaced else "")
    console.print(heading("Saved", f"{place} ({size})"), soft_wrap=True)
    if options.plot is not None:
        console.print(Text(f"       {visible(options.plot)}", "dim"), soft_wrap=True)
    use = f"\n  minicolumn predict {visible(shlex.quote(_place(options)))} NEW_ROWS"
    console.print(Text(use, "dim"), soft_wrap=True)


def _salvaged(error: DivergenceError, plan: TablePlan, place: str) -> DataError:
    """Save the last good weights of a training that diverged, and return what to say about it."""
    run = getattr(error, "run", None)
    if run is None or not run.best_epoch:
        return DataError(f"{error}; nothing was saved")
    model = with_table(plan, run.model)
    model.metrics.update({"test": model.score_encoded(plan.test.X, plan.test.y)[0]})
    save_model(model, place)
    return DataError(f"{error}; the weights of epoch {run.best_epoch} are saved in {place!r}")
