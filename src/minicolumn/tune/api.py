"""`mc.tune`: search a network for a table in one call, `minicolumn tune` in Python."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, get_args

from minicolumn.errors import DataError, did_you_mean
from minicolumn.model.files import PathLike
from minicolumn.nn.losses import Loss
from minicolumn.registry import Integer
from minicolumn.registry.shared import SEED, THREADS
from minicolumn.tables import Reading
from minicolumn.tabular.fit import ColumnForms, ColumnNames, loaded_frame, target_of
from minicolumn.tabular.plan import plan_table
from minicolumn.tabular.schema_file import with_schema
from minicolumn.tabular.settings import TableSettings, check_time, settings_of
from minicolumn.tune.arrays import table_of
from minicolumn.tune.live import shown_on
from minicolumn.tune.parts import RULES
from minicolumn.tune.search import Budget
from minicolumn.tune.session import Asked, Shown, plan_search, run_search
from minicolumn.tune.space import Space, space_of
from minicolumn.tune.space_file import read_space
from minicolumn.tune.strategies import strategy_by_name
from minicolumn.tune.study import Study, WinnerRule

USUAL_TIME = "2m"
_PRUNING = ("asha", "hyperband")
TRIALS = Integer(help="Candidates to try.", name="trials", ge=1)
# Settings of a table that are the search's to choose, and those that go with them.
_SEARCHED = (*(set(RULES) & {f.name for f in fields(TableSettings)}), "hidden", "patience", "effort", "time")
FOLDS = Integer(help="Folds of the cross-validation.", name="folds", ge=2)


def tune(
    data: Any,
    target: Any = None,
    *,
    space: Space | Mapping[str, Any] | PathLike | None = None,
    strategy: str = "course",
    time: float | str | None = None,
    trials: int | None = None,
    target_score: float | None = None,
    score: str | None = None,
    folds: int | None = None,
    winner: str = "smallest",
    storage: PathLike | None = None,
    resume: bool = False,
    threads: int | None = None,
    cluster: str | None = None,
    executor: Any = None,
    refit: bool = True,
    progress: bool | None = None,
    task: str | None = None,
    number: ColumnForms = (),
    datetime: ColumnForms = (),
    category: ColumnNames = (),
    text: ColumnNames = (),
    keep: ColumnNames = (),
    drop: ColumnNames = (),
    id: ColumnNames = (),
    weight: str | None = None,
    class_weight: str | Mapping[str, float] | None = None,
    groups: str | None = None,
    time_order: str | None = None,
    missing: ColumnNames = (),
    not_missing: ColumnNames = (),
    decimal: str | None = None,
    strict: bool = False,
    schema: PathLike | None = None,
    encoding: str | None = None,
    separator: str | None = None,
    header: bool = True,
    skip_rows: int = 0,
    comment: str | None = None,
    quote: str | None = None,
    sheet: str | int | None = None,
    max_memory: int | None = None,
    threshold: float | str | None = None,
    target_scale: str | None = None,
    test: Any = None,
    test_fraction: float = 0.25,
    loss: str | Loss | None = None,
    clip_norm: float | None = None,
    epochs: int | None = None,
    seed: int = 0,
) -> Study:
    """Search a network for a table by cross-validation: its layers, widths, activation, rates.

        test rows apart -> folds inside the rest -> candidates side by side -> the winner, trained on the rest

    The test rows are those of `fit_table` at the same seed; no choice of the search looks at them.

    data            a table in any form that `fit_table` takes; or X, an array [rows, features] or a table
                    without the target
    target          the column to predict; or y, [rows]
    space           what there is to choose among: a `mc.tune.Space`, its parts by name, or a TOML file; what
                    it leaves out is taken by the table's size
    strategy        "course" (from small to large, step by step), "random", "tpe", "asha", "hyperband",
                    "grid", "grow" (wider and deeper, with the weights learnt so far)
    time            a budget, such as 30, "60s" or "5m"; two minutes where neither it nor trials is said, but
                    for a grid. A first trial is finished however long it takes
    trials          so many candidates, those of a search that is resumed among them
    target_score    a score that is good enough
    score           what decides: a metric that fits the task; by default log_loss of two classes, accuracy of
                    more, r2 of numbers
    folds           of the cross-validation, 2 to 20; by default 5, and 3 of 5,000 rows or more
    winner          "smallest" network within one standard error of the best, or "best"
    storage         a file that keeps every trial that ended, or a database's URL such as postgresql://...
    resume          whether to go on with the last search in that storage: say the rest as it was said then
    threads         candidates at once, one thread each; by default the cores
    cluster         the address of a Dask scheduler, such as "tcp://10.0.0.5:8786", whose workers train the
                    candidates: all of their threads, or as many as threads says; they need this package
    executor        a Dask client, or anything with the interface of `concurrent.futures.Executor`, whose
                    workers do. The table goes to each of them once, without the test rows, and what a worker
                    that dies was training is trained again. It travels by pickle, as the executor does it:
                    take workers that you trust
    refit           whether the winner is trained on all training rows and scored on the test rows
    progress        whether to show on standard error how far it is
    epochs          of the longest training, of which a space's horizon is a share; by the table
    Others          as for `fit_table`

    Returns         a `Study`: `trials` as a data frame, `best`, `winner`, `best_model`, `metrics` on the test
                    rows, `story` of the course, `predict(rows)`, `save(path)`
    Errors          DataError, one line, for tables, spaces, budgets and storages that cannot be used. A
                    candidate that fails is a trial with its reason

    After Ctrl-C the study has what ended until then.

    >>> import minicolumn as mc
    >>> space = mc.tune.Space(layers=1, width="4-16", activation="relu", ramps=False)
    >>> study = mc.tune("penguins", space=space, trials=3, folds=2, epochs=4)
    >>> study.winner.candidate.layers, len(study.trials), study.metrics["accuracy"] > 0.5
    (1, 3, True)
    """
    said = dict(locals())
    asked = asked_of("tune", said)
    reading = Reading(**{field.name: said[field.name] for field in fields(Reading)})
    if target is not None and not isinstance(target, str):
        data, said["target"] = table_of(data, target)
    given, reading = with_schema("tune", said, schema, reading)
    frame = loaded_frame(data, reading)
    given["target"] = target_of("tune", given["target"], data, list(frame.columns))
    table = plan_table(
        frame, table_settings("tune", given), None if test is None else loaded_frame(test, reading)
    )
    return run_search(plan_search(table, asked), shown_on_stderr() if progress else Shown(), refit=refit)


def shown_on_stderr() -> Shown:
    """Return what shows a search on standard error."""
    from rich.console import Console

    return shown_on(Console(stderr=True, highlight=False, markup=False, emoji=False))


def table_settings(who: str, given: Mapping[str, Any]) -> TableSettings:
    """Return the settings of the table: of several members, so that no row is held out but for the test.

    given       the keywords of `tune` by name; what is said of the space and the search is passed over
    """
    fixed: dict[str, Any] = dict.fromkeys(_SEARCHED) | {"validation_fraction": 0.15, "members": 2}
    names = {field.name for field in fields(TableSettings)} - set(fixed)
    missing: dict[str, Any] = {name: None for name in names if name not in given}
    return settings_of(who, {**given, **missing, **fixed})


def asked_of(who: str, said: Mapping[str, Any]) -> Asked:
    """Return what was asked for of the search itself, checked.

    said        the keywords of `tune` by name, others among them
    Errors      DataError, in one line that names the keyword
    """
    where = f"{who}: "
    seconds = check_time(f"{where}time", said["time"])
    trials = None if said["trials"] is None else TRIALS.required(said["trials"], f"{where}trials")
    if seconds is None and trials is None and said["strategy"] != "grid":
        seconds = check_time("time", USUAL_TIME)
    strategy_by_name(f"{where}strategy", said["strategy"])
    rules = get_args(WinnerRule)
    if said["winner"] not in rules:
        hint = did_you_mean(str(said["winner"]), rules) or f"; expected {' or '.join(rules)}"
        raise DataError(f"{where}winner: unknown rule {said['winner']!r:.60}{hint}")
    if said["resume"] and said["storage"] is None:
        raise DataError(f"{where}resume: say the storage to go on with")
    _check_elsewhere(where, said)
    return Asked(
        space=space_from(who, said["space"]),
        strategy=said["strategy"],
        budget=Budget(seconds, trials, _number(f"{where}target_score", said["target_score"])),
        score=said["score"],
        folds=None if said["folds"] is None else FOLDS.required(said["folds"], f"{where}folds"),
        winner=said["winner"],
        storage=said["storage"],
        resume=said["resume"],
        seed=SEED.required(said["seed"], f"{where}seed"),
        threads=THREADS.required(said["threads"], f"{where}threads"),
        cluster=said.get("cluster"),
        executor=said.get("executor"),
    )


def space_from(who: str, space: Space | Mapping[str, Any] | PathLike | None) -> Space:
    """Return a space in any form: a record, its parts by name, a TOML file, or None for the table's own."""
    if space is None:
        return Space()
    if isinstance(space, Space):
        return space
    if isinstance(space, Mapping):
        return space_of(who, space)
    return read_space(f"{who}: space", space)


def _number(where: str, value: Any) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
        raise DataError(f"{where}: expected a number, got {value!r:.60}")
    return float(value)


def _check_elsewhere(where: str, said: Mapping[str, Any]) -> None:
    """Refuse two places at once, and strategies that have to look into a training that is elsewhere."""
    cluster, executor = said.get("cluster"), said.get("executor")
    if cluster is not None and executor is not None:
        raise DataError(f"{where}cluster and executor are two places to train at; give one")
    if cluster is not None and (not isinstance(cluster, str) or not cluster.strip()):
        raise DataError(f"{where}cluster: expected an address, tcp://10.0.0.5:8786, got {cluster!r:.60}")
    if (cluster is not None or executor is not None) and said["strategy"] in _PRUNING:
        hint = f"{said['strategy']} prunes within trainings, which it cannot look into elsewhere"
        raise DataError(f"{where}strategy: {hint}; take course, random, tpe, grid or grow")
