"""Storage of trials: Optuna's journal file, or its relational storage by URL; one record a finished trial.

A trial is written when it has ended, in one append: a process that is killed leaves whole trials and nothing
half. What Optuna knows of it (parameters, values by epoch) can be read by its own tools; all of it is in the
attribute "minicolumn", as JSON, which is checked field by field when it is read. A journal belongs to one
process at a time.

Source      Optuna's JournalStorage with JournalFileBackend, and RDBStorage
"""

from __future__ import annotations

import importlib.util
import json
import math
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, BinaryIO

from minicolumn.errors import DataError, first_line, reason
from minicolumn.model.files import PathLike
from minicolumn.tune.parts import Choices, Interval, Part
from minicolumn.tune.score import Score
from minicolumn.tune.space import Space
from minicolumn.tune.strategies.sampled import quiet
from minicolumn.tune.study import Setup
from minicolumn.tune.trial import Trial

if TYPE_CHECKING:
    import optuna

FORMAT = 1
_KEY = "minicolumn"


@dataclass(frozen=True, eq=False)
class Stored:
    """A search in a storage."""

    study: Any
    setup: Setup
    trials: tuple[Trial, ...]

    def add(self, trial: Trial) -> None:
        """Write a trial; DataError, in one line, where the storage refuses."""
        with _refusing("the storage"):
            self.study.add_trial(_optuna_trial(trial, self.setup))


class Storage:
    """Where trials are kept: made with `open_storage`, which holds it for this process until it is closed."""

    def __init__(self, name: str, storage: Any) -> None:
        self.name, self._storage = name, storage

    def begin(self, setup: Setup) -> Stored:
        """Begin a search beside those that are there."""
        import optuna

        with _refusing(self.name), quiet():
            direction = "maximize" if setup.score.higher_is_better else "minimize"
            taken = {study.study_name for study in self._storage.get_all_studies()}
            number = next(n for n in range(1, len(taken) + 2) if _title(setup, n) not in taken)
            study = optuna.create_study(
                study_name=_title(setup, number), storage=self._storage, direction=direction
            )
            study.set_user_attr(_KEY, json.dumps(setup_to_json(setup)))
        return Stored(study, setup, ())

    def searches(self) -> list[Stored]:
        """Return the searches of this package in the storage, the oldest first.

        Errors      DataError for one of another version, and for one that is damaged
        """
        with _refusing(self.name), quiet():
            found = sorted(self._storage.get_all_studies(), key=lambda study: study._study_id)
            return [
                self._read(each.study_name, each.user_attrs[_KEY])
                for each in found
                if _KEY in each.user_attrs
            ]

    def resume(self, setup: Setup) -> Stored:
        """Return the last search, which must be the one that is asked for.

        Errors      DataError where there is none, and for the first thing that differs
        """
        found = self.searches()
        if not found:
            raise DataError(f"resume: {self.name} holds no search of minicolumn")
        last = found[-1]
        for field in fields(Setup):
            asked, stands = getattr(setup, field.name), getattr(last.setup, field.name)
            if asked != stands:
                raise DataError(f"resume: {self.name}: {_difference(field.name, stands, asked)}")
        return last

    def _read(self, name: str, said: str) -> Stored:
        import optuna

        study = optuna.load_study(study_name=name, storage=self._storage)
        setup = setup_from_json(json.loads(said))
        texts = [
            trial.user_attrs[_KEY] for trial in study.get_trials(deepcopy=False) if _KEY in trial.user_attrs
        ]
        trials = [Trial.from_json(json.loads(text)) for text in texts]
        return Stored(study, setup, tuple(replace(trial, number=n) for n, trial in enumerate(trials)))


@contextmanager
def open_storage(where: str, storage: PathLike) -> Iterator[Storage]:
    """Open a storage for as long as the block lasts: a journal file, or a URL such as postgresql://...

    where       begins each message: "storage"
    Errors      DataError, one line, for a file that is no journal or is damaged, one that another search
                holds, a database that cannot be reached, and a driver that is missing
    """
    name = os.fsdecode(storage)
    if "://" in name:
        with _database(where, name) as database:
            yield Storage(without_password(name), database)
        return
    with _journal(where, name) as journal:
        yield Storage(repr(name), journal)


@contextmanager
def _journal(where: str, path: str) -> Iterator[optuna.storages.JournalStorage]:
    """Hold a journal file: locked for this process, its lines checked, a torn last one taken away."""
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    with _held(where, path) as file:
        _check_lines(where, path, file)
        with _refusing(f"{where}: {path!r}"), quiet():
            journal = JournalStorage(JournalFileBackend(path, _Ours()))  # type: ignore[arg-type]
        yield journal


class _Ours:
    """The lock of a file that this process holds as a whole."""

    def acquire(self) -> bool:
        return True

    def release(self) -> None:
        return None


@contextmanager
def _held(where: str, path: str) -> Iterator[BinaryIO]:
    """Open a file for reading and writing, and hold it for this process; the system lets go when it dies."""
    try:
        file = open(path, "a+b")  # noqa: SIM115  closed below
    except (OSError, ValueError) as error:
        raise DataError(f"{where}: cannot open {path!r}: {reason(error)}") from None
    with file:
        _lock(where, path, file)
        yield file


def _lock(where: str, path: str, file: BinaryIO) -> None:
    """Lock a file, or refuse; where the system has no such locks, nothing is done."""
    try:
        import fcntl
    except ImportError:  # Windows, which refuses a second writer itself
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise DataError(
            f"{where}: {path!r} is in use by another search; wait for it, or give another file"
        ) from None


def _check_lines(where: str, path: str, file: BinaryIO) -> None:
    """Refuse a file that is no journal, and cut off a last line that was torn by a crash.

    Errors      DataError with the number of the first line that is none of a journal
    """
    file.seek(0)
    whole, number = 0, 0
    for number, line in enumerate(file, 1):
        if not _is_entry(line):
            if not line.endswith(b"\n") and number > 1:
                break
            what = "is no journal of a search" if number == 1 else f"is damaged in line {number:,}"
            raise DataError(f"{where}: {path!r} {what}; give another file")
        if not line.endswith(b"\n"):
            break
        whole += len(line)
    if whole < file.seek(0, os.SEEK_END):
        file.truncate(whole)


def _is_entry(line: bytes) -> bool:
    """Return whether a line is an entry of a journal."""
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return False
    return isinstance(found, dict) and isinstance(found.get("op_code"), int) and "worker_id" in found


@contextmanager
def _database(where: str, url: str) -> Iterator[optuna.storages.RDBStorage]:
    """Hold a relational storage; its few connections are closed at the end."""
    from optuna.storages import RDBStorage

    shown = without_password(url)
    try:
        with quiet():
            storage = RDBStorage(_with_driver(url), engine_kwargs={"pool_pre_ping": True})
    except ImportError:
        more = "; pip install 'minicolumn[postgresql]'" * url.startswith("postgres")
        raise DataError(f"{where}: the driver of {shown} is not installed{more}") from None
    except Exception as error:
        raise DataError(f"{where}: cannot use {shown}: {first_line(error)}") from None
    try:
        yield storage
    finally:
        storage.remove_session()
        storage.engine.dispose()


def _with_driver(url: str) -> str:
    """Return a URL of PostgreSQL with the driver that is installed, where it names none."""
    named = "postgresql+psycopg://"
    plain = url.replace("postgres://", "postgresql://", 1) if url.startswith("postgres://") else url
    has_driver = importlib.util.find_spec("psycopg") is not None
    return plain.replace("postgresql://", named, 1) if has_driver else plain


@contextmanager
def _refusing(name: str) -> Iterator[None]:
    """Turn what a storage raises into one line."""
    try:
        yield
    except DataError as error:
        raise DataError(f"{name}: {error}") from None
    except OSError as error:
        raise DataError(f"{name}: cannot be written: {error.strerror or error}") from None
    except Exception as error:
        import optuna

        known = (ValueError, KeyError, TypeError, AssertionError, RuntimeError, optuna.exceptions.OptunaError)
        if not isinstance(error, known) and type(error).__module__.partition(".")[0] != "sqlalchemy":
            raise
        raise DataError(f"{name} is damaged, or of another version: {first_line(error)}") from None


def without_password(url: str) -> str:
    """Return a URL without the password in it.

    >>> without_password("postgresql://ann:secret@host/db")
    'postgresql://ann:***@host/db'
    """
    scheme, slashes, rest = url.partition("://")
    login, at, host = rest.rpartition("@")
    user, colon, _ = login.partition(":")
    return f"{scheme}{slashes}{user}{':***' if colon else ''}{at}{host}"


def _title(setup: Setup, number: int) -> str:
    """Return the name of a search in a storage."""
    return f"{setup.target} {setup.strategy} {number}"


# Records as JSON --------------------------------------------------------------------------------------------


def setup_to_json(setup: Setup) -> dict[str, Any]:
    """Return what a search was asked for as JSON values."""
    found = {f.name: getattr(setup, f.name) for f in fields(Setup)}
    score = {"name": setup.score.name, "higher_is_better": setup.score.higher_is_better}
    return {"format": FORMAT, **found, "space": setup.space.to_json(), "score": score}


def setup_from_json(said: Any) -> Setup:
    """Return what a search was asked for; DataError for what is of another version or damaged."""
    if isinstance(said, Mapping) and said.get("format") != FORMAT:
        raise DataError(f"it is of format {str(said.get('format'))[:20]}, this version reads format {FORMAT}")
    names = {f.name for f in fields(Setup)}
    if not isinstance(said, Mapping) or set(said) != {"format", *names}:
        raise DataError("the description of the search has other fields than those of this version")
    score = said["score"]
    if not isinstance(score, Mapping) or set(score) != {"name", "higher_is_better"}:
        raise DataError("the description of the search has no score")
    texts = all(isinstance(said[name], str) for name in ("strategy", "target", "task", "data"))
    numbers = all(isinstance(said[name], int) for name in ("folds", "epochs", "seed", "rows"))
    if not texts or not numbers or not isinstance(score["name"], str):
        raise DataError("the description of the search has fields of other types than expected")
    rest = {name: said[name] for name in names - {"space", "score"}}
    made = Score(score["name"], bool(score["higher_is_better"]))
    return Setup(space=Space.from_json(said["space"]), score=made, **rest)


def _difference(name: str, stands: Any, asked: Any) -> str:
    """Return how the search that is there differs from the one that is asked for."""
    if name == "data":
        return "its search was of other rows; give the same table, or begin anew without resume"
    if name == "space":
        parts = [p for p in stands.said() if stands.part(p) != asked.part(p)]
        was, now = stands.part(parts[0]), asked.part(parts[0])
        return f"its search was of another space: {parts[0]} was {was}, not {now}"
    if name == "score":
        stands, asked = stands.name, asked.name
    return f"its search was with {name} {stands!r:.60}, not {asked!r:.60}; say what was said then"


def _optuna_trial(trial: Trial, setup: Setup) -> optuna.trial.FrozenTrial:
    """Return a trial as Optuna keeps it."""
    import optuna

    state = {"finished": "COMPLETE", "pruned": "PRUNED", "failed": "FAIL"}[trial.state]
    params = dict(trial.candidate.choices)
    values = _means(trial)
    return optuna.trial.create_trial(
        state=optuna.trial.TrialState[state],
        value=trial.score if trial.is_finished else None,
        params=params,
        distributions={name: _distribution(_domain(setup.space, name)) for name in params},
        intermediate_values=values,
        user_attrs={_KEY: json.dumps(trial.to_json()), "reason": trial.reason} if trial.reason
        else {_KEY: json.dumps(trial.to_json())},
    )  # fmt: skip


def _means(trial: Trial) -> dict[int, float]:
    """Return the mean over the folds of the score at each epoch that all of them have behind."""
    epochs = min(map(len, trial.curves), default=0)
    means = [sum(curve[e] for curve in trial.curves) / len(trial.curves) for e in range(epochs)]
    return {epoch: mean for epoch, mean in enumerate(means, 1) if math.isfinite(mean)}


def _domain(space: Space, name: str) -> Part:
    """Return the domain of a choice; those of a free shape's widths are that of the width."""
    found = space.part("width" if name.startswith("width_") else name)
    assert found is not None
    return found


def _distribution(part: Part) -> Any:
    import optuna

    if isinstance(part, Interval):
        return optuna.distributions.FloatDistribution(part.low, part.high, log=part.log)
    assert isinstance(part, Choices)
    return optuna.distributions.CategoricalDistribution(part.values)
