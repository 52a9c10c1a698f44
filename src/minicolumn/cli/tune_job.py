"""The work of `minicolumn tune`: check all options, search, train the winner again, save and report."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

from rich.console import Console

from minicolumn.cli.card import data_of, with_command
from minicolumn.cli.options import make_named
from minicolumn.cli.process import raise_interrupts
from minicolumn.cli.run import DONE, Interrupted
from minicolumn.cli.save import check_writable, save_model
from minicolumn.cli.screen import open_console, print_json, working
from minicolumn.cli.source import find_target, read_source, short_name
from minicolumn.cli.table_options import Said, by_option, parse_class_weight
from minicolumn.cli.train_report import summary_of
from minicolumn.cli.tune import TuneOptions
from minicolumn.cli.tune_pictures import check_pictures, write_pictures
from minicolumn.cli.tune_report import announce_search, say_where, show_ranking, show_winner
from minicolumn.errors import DataError
from minicolumn.nn.losses import Loss
from minicolumn.tabular.plan import plan_table
from minicolumn.tabular.target_scale import check_target_scale
from minicolumn.tabular.thresholds import check_threshold
from minicolumn.train.interrupts import deferred
from minicolumn.tune.api import asked_of, table_settings
from minicolumn.tune.live import shown_on
from minicolumn.tune.parts import RULES
from minicolumn.tune.session import Asked, SearchPlan, Shown, plan_search, run_search
from minicolumn.tune.space import Space
from minicolumn.tune.space_file import read_space
from minicolumn.tune.storage import without_password
from minicolumn.tune.study import Study

if TYPE_CHECKING:
    import polars

    from minicolumn.tabular.settings import TableSettings


def run_tuning(options: TuneOptions) -> int:
    """Search a network for a table, save the winner, and return the exit code.

    Errors      DataError, before anything is trained, for options that cannot be used; after the search where
                no candidate could be trained
    """
    asked = _asked(options)
    check_writable("--out", _place(options), _inputs(options))
    check_pictures(options, (_place(options), *_inputs(options)))
    console = open_console(to_stderr=options.as_json, quiet=options.quiet)
    said = Said.of(options)
    frame = read_source(options.data, console, said.reading)
    data = data_of(options.data)  # as it is now: it may be another by the end of the search
    test = read_source(options.test, console, said.reading) if options.test else None
    with working(console, "Planning"), _by_option():
        table = plan_table(frame, _settings(options, frame, said), test)
        plan = plan_search(table, asked)
    announce_search(console, short_name(options.data), plan)
    raise_interrupts()
    with _by_option():
        study = run_search(plan, shown_on(console) if not options.quiet else Shown())
    if study.refit is not None:
        model = with_command(study.refit.model, "tune", options, data)
        study = replace(study, refit=replace(study.refit, model=model))
    return _finish(console, options, plan, study, frame.width)


@contextmanager
def _by_option() -> Iterator[None]:
    """Let a DataError of `mc.tune` begin with the option of that keyword."""
    with by_option(TuneOptions):
        try:
            yield
        except DataError as error:
            raise DataError(str(error).removeprefix("tune: ")) from None


def _place(options: TuneOptions) -> str:
    """Return the path of the model file."""
    return options.out if options.out is not None else f"{short_name(options.data)}.safetensors"


def _inputs(options: TuneOptions) -> tuple[str, ...]:
    """Return the paths of files that must not be replaced."""
    storage = _storage(options)
    others = (options.test, options.space, storage if "://" not in storage else None)
    return (options.data, *(path for path in others if path is not None))


def _storage(options: TuneOptions) -> str:
    return options.storage if options.storage is not None else f"{short_name(options.data)}.journal"


def _asked(options: TuneOptions) -> Asked:
    """Return what is asked of the search, checked before anything is read."""
    said = {field.name: getattr(options, field.name) for field in fields(options)}
    parts = {name: said[name] for name in RULES if said[name] is not None}
    said |= {"space": _space(options, parts), "storage": _storage(options)}
    with _by_option():
        return asked_of("tune", said)


def _space(options: TuneOptions, parts: dict[str, str]) -> Space:
    """Return the space of the options, over that of the file."""
    with _by_option():
        space = Space(**parts)
        if options.space is None:
            return space
        file = read_space("space", options.space)
        return space.over(file)


def _settings(options: TuneOptions, frame: polars.DataFrame, table: Said) -> TableSettings:
    """Return the settings of the table and of each training."""
    overrides, target, task = table.of_table(frame.columns, options.target, options.task)
    given: dict[str, Any] = {field.name: getattr(options, field.name) for field in fields(options)}
    given |= {field.name: getattr(overrides, field.name) for field in fields(overrides)}
    given |= {
        "target": find_target(target, options.data, frame),
        "task": task,
        "class_weight": parse_class_weight("--class-weight", options.class_weight),
        "threshold": check_threshold("--threshold", options.threshold),
        "target_scale": check_target_scale("--target-scale", options.target_scale),
        "loss": make_named("--loss", options.loss, Loss),
    }
    return table_settings("tune", given)


def _finish(console: Console, options: TuneOptions, plan: SearchPlan, study: Study, columns: int) -> int:
    """Show what was found, and save the winner.

    Ctrl-C waits for the file.
    """
    interrupted = study.stopped == "interrupted"
    if study.refit is None:
        if interrupted:
            kept = f"{len(study.records)} trials are kept in {without_password(_storage(options))}"
            raise Interrupted(f"interrupted before a candidate was finished; {kept}")
        raise DataError(f"nothing was saved: {study.why_no_winner()}")
    show_ranking(console, study)
    replaced = os.path.exists(_place(options))
    with deferred(again=not interrupted):  # another Ctrl-C waits for the file
        trouble = _saved(study, _place(options))
    show_winner(console, study)
    if trouble is not None:
        raise trouble
    say_where(console, _place(options), _storage(options), replaced)
    write_pictures(console, options, study)
    if options.as_json:
        print_json(_summary(options, study, columns))
    if interrupted:
        raise Interrupted(
            f"interrupted after {len(study.records)} trials; the best of them is saved in {_place(options)}"
        )
    return DONE


def _saved(study: Study, place: str) -> DataError | None:
    """Save the winner; return what went wrong, so that the scores can still be shown first."""
    try:
        save_model(study.best_model, place)
    except DataError as error:
        return error
    return None


def _summary(options: TuneOptions, study: Study, columns: int) -> dict[str, Any]:
    """Return the result as JSON values: that of `train`, with the trials and the best of them."""
    done, best, winner = study.refit, study.best, study.winner
    assert done is not None
    assert best is not None
    assert winner is not None
    return {
        **summary_of(done, columns, _place(options)),
        "seconds": study.seconds + done.run.seconds,
        "strategy": study.setup.strategy,
        "score": study.score.name,
        "stopped": study.stopped,
        "trials": len(study.records),
        "pruned": sum(trial.state == "pruned" for trial in study.records),
        "failed": sum(trial.state == "failed" for trial in study.records),
        "best": _described(best),
        "winner": _described(winner),
        "story": list(study.story),
        "storage": without_password(_storage(options)),
    }


def _described(trial: Any) -> dict[str, Any]:
    """Return a trial as JSON values, without its curves."""
    whole = trial.to_json()
    candidate = {name: value for name, value in whole["candidate"].items() if name != "choices"}
    left_out = ("candidate", "curves", "losses", "step", "reason", "state")
    return {**candidate, **{name: value for name, value in whole.items() if name not in left_out}}
