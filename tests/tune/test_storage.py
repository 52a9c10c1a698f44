"""Storage: what is written is read again, a search goes on, and each bad storage is one clear line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from minicolumn.errors import DataError
from minicolumn.tune import Candidate, Space, Trial
from minicolumn.tune.score import Score
from minicolumn.tune.session import SearchPlan, run_search
from minicolumn.tune.storage import open_storage
from minicolumn.tune.study import Setup

Plan = Callable[..., SearchPlan]


@pytest.fixture
def setup(whole: Space) -> Setup:
    return Setup(
        space=whole, strategy="tpe", score=Score("r2", True), folds=2, epochs=3, seed=0, target="y",
        task="regression", rows=90, data="sha256:0",
    )  # fmt: skip


def _trials(whole: Space, trial: Any) -> list[Trial]:
    def nth(number: int) -> Candidate:
        return whole.draw(lambda name, part: getattr(part, "values", (0.01, 0.02))[number])

    made = [nth(0), nth(1)]
    failed = Trial(2, replace(made[0], dropout=0.3), "failed", 0, reason="diverged")
    return [*(trial(c, (0.25, 0.5 + n), 9, n) for n, c in enumerate(made)), failed]


@pytest.mark.parametrize("kind", ["journal", "sqlite"])
def test_trials_come_back_as_they_were(
    kind: str, setup: Setup, whole: Space, trial: Any, tmp_path: Path
) -> None:
    place = str(tmp_path / "s.journal") if kind == "journal" else f"sqlite:///{tmp_path}/s.db"
    made = _trials(whole, trial)
    with open_storage("storage", place) as storage:
        stored = storage.begin(setup)
        for each in made:
            stored.add(each)
    with open_storage("storage", place) as storage:
        again = storage.resume(setup)
    assert repr(again.trials) == repr(tuple(made))
    assert again.setup == setup


def test_optunas_own_tools_read_the_trials(setup: Setup, whole: Space, trial: Any, tmp_path: Path) -> None:
    import optuna
    from optuna.storages.journal import JournalFileBackend

    made = _trials(whole, trial)
    path = str(tmp_path / "s.journal")
    with open_storage("storage", path) as storage:
        stored = storage.begin(setup)
        for each in made:
            stored.add(each)
    backend = JournalFileBackend(path)
    study = optuna.load_study(study_name="y tpe 1", storage=optuna.storages.JournalStorage(backend))
    assert study.best_trial.number == 1
    assert study.best_value == made[1].score
    assert study.trials[0].params == dict(made[0].candidate.choices)
    assert study.trials[1].intermediate_values == {1: pytest.approx(0.775), 2: pytest.approx(0.875)}
    assert study.trials[2].user_attrs["reason"] == "diverged"


def test_a_second_search_stands_beside_the_first(setup: Setup, tmp_path: Path) -> None:
    with open_storage("storage", tmp_path / "s.journal") as storage:
        storage.begin(setup)
        storage.begin(replace(setup, seed=7))
        assert [each.setup.seed for each in storage.searches()] == [0, 7]
        assert storage.resume(replace(setup, seed=7)).trials == ()


CHANGES: list[tuple[dict[str, Any], str]] = [
    ({"data": "sha256:1"}, "its search was of other rows"),
    ({"seed": 1}, "its search was with seed 0, not 1; say what was said then"),
    ({"score": Score("mae", False)}, "its search was with score 'r2', not 'mae'"),
    ({"folds": 3}, "with folds 2, not 3"),
    ({"strategy": "random"}, "with strategy 'tpe', not 'random'"),
]


@pytest.mark.parametrize(("change", "words"), CHANGES, ids=lambda value: str(value)[:30])
def test_another_search_is_not_gone_on_with(
    change: dict[str, Any], words: str, setup: Setup, tmp_path: Path
) -> None:
    with open_storage("storage", tmp_path / "s.journal") as storage:
        storage.begin(setup)
        with pytest.raises(DataError) as found:
            storage.resume(replace(setup, **change))
    assert words in str(found.value)
    assert "\n" not in str(found.value)


def test_another_space_is_not_gone_on_with(setup: Setup, whole: Space, tmp_path: Path) -> None:
    with open_storage("storage", tmp_path / "s.journal") as storage:
        storage.begin(setup)
        with pytest.raises(DataError, match="another space: layers was 1, 2, 3, not 2"):
            storage.resume(replace(setup, space=Space(layers=2).over(whole)))


def test_an_empty_storage_has_nothing_to_go_on_with(setup: Setup, tmp_path: Path) -> None:
    with (
        open_storage("storage", tmp_path / "s.journal") as storage,
        pytest.raises(DataError, match="holds no search of minicolumn"),
    ):
        storage.resume(setup)


def _journal(setup: Setup, trials: list[Trial], path: Path) -> bytes:
    with open_storage("storage", path) as storage:
        stored = storage.begin(setup)
        for each in trials:
            stored.add(each)
    return path.read_bytes()


def test_a_torn_last_line_is_cut_off(setup: Setup, whole: Space, trial: Any, tmp_path: Path) -> None:
    path = tmp_path / "s.journal"
    made = _trials(whole, trial)
    content = _journal(setup, made, path)
    last = content.rstrip(b"\n").rindex(b"\n") + 1
    for end in (*range(last, last + 8), (last + len(content)) // 2, len(content) - 1):
        path.write_bytes(content[:end])
        with open_storage("storage", path) as storage:
            again = storage.resume(setup)
            assert len(again.trials) == len(made) - 1
        assert path.read_bytes() == content[:last]
    with open_storage("storage", path) as storage:
        storage.resume(setup).add(made[-1])
        assert len(storage.resume(setup).trials) == len(made)


@pytest.mark.parametrize("seed", range(40))
def test_a_damaged_journal_is_one_clear_line_or_reads(
    seed: int, setup: Setup, whole: Space, trial: Any, tmp_path: Path
) -> None:
    import random

    draw, path = random.Random(seed), tmp_path / "s.journal"
    content = bytearray(_journal(setup, _trials(whole, trial), path))
    for _ in range(draw.randint(1, 4)):
        content[draw.randrange(len(content))] = draw.randrange(256)
    path.write_bytes(content)
    said = str(path)
    try:
        with open_storage("storage", path) as storage:
            assert all(isinstance(each.setup, Setup) for each in storage.searches())
    except DataError as error:
        said = str(error)
    assert "\n" not in said
    assert str(path) in said


def test_a_foreign_file_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    for content in (b"a,b\n1,2\n", b"x", b"[1]\n", b"\x00\x01\n", b'{"a": 1}\n'):
        path.write_bytes(content)
        with (
            pytest.raises(DataError, match="is no journal of a search; give another file"),
            open_storage("storage", path),
        ):
            raise AssertionError
        assert path.read_bytes() == content


def test_a_storage_of_another_version_is_told(setup: Setup, tmp_path: Path) -> None:
    path = tmp_path / "s.journal"
    content = _journal(setup, [], path)
    path.write_bytes(content.replace(b'\\"format\\": 1', b'\\"format\\": 2'))
    with (
        open_storage("storage", path) as storage,
        pytest.raises(DataError, match="it is of format 2, this version reads format 1"),
    ):
        storage.resume(setup)


def test_a_storage_in_use_is_told(tmp_path: Path) -> None:
    path = tmp_path / "s.journal"
    code = (
        "import sys; from minicolumn.tune.storage import open_storage\n"
        "try:\n"
        "    with open_storage('storage', sys.argv[1]): print('opened')\n"
        "except Exception as error: print(error)"
    )

    def other() -> str:
        words = [sys.executable, "-c", code, str(path)]
        source = str(Path(__file__).parents[2] / "src")
        return subprocess.run(
            words, capture_output=True, text=True, check=True, env={**os.environ, "PYTHONPATH": source}
        ).stdout

    with open_storage("storage", path):
        assert "is in use by another search" in other()
    assert other() == "opened\n"


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("{}/none/s.journal", "cannot open"),
        ("{}", "cannot open"),
        ("sqlite:///{}/none/s.db", "cannot use sqlite"),
        ("nosuch://u:secret@host/db", "cannot use nosuch://u:***@host/db"),
        ("mysql+nodriver://u:secret@host/db", "u:***@host/db"),
    ],
)
def test_a_storage_that_cannot_be_reached_is_told(place: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(DataError) as found, open_storage("storage", place.format(tmp_path)):
        raise AssertionError
    assert words in str(found.value)
    assert "secret" not in str(found.value)
    assert "\n" not in str(found.value)


def test_a_missing_driver_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg2", None)  # as if it were not installed
    with (
        pytest.raises(DataError, match="is not installed; pip install 'minicolumn"),
        open_storage("storage", "postgresql+psycopg2://ann@127.0.0.1:1/none"),
    ):
        raise AssertionError


def test_a_search_is_gone_on_with_and_ends_as_unbroken(plan: Plan, tmp_path: Path) -> None:
    said = {"strategy": "tpe", "trials": 5}
    unbroken = run_search(plan(**said), refit=False)
    storage = tmp_path / "s.journal"
    run_search(plan(**said | {"trials": 2}, storage=storage), refit=False)
    again = run_search(plan(**said, storage=storage, resume=True), refit=False)
    assert [t.candidate for t in again.records] == [t.candidate for t in unbroken.records]
    assert [t.by_fold for t in again.records] == [t.by_fold for t in unbroken.records]
    assert len(again.records) == 5


def test_a_storage_that_fails_later_ends_the_search_in_one_line(
    plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from optuna.storages.journal import JournalFileBackend

    def full(self: Any, logs: list[dict[str, Any]]) -> None:
        raise OSError(28, "No space left on device")

    made = plan(storage=tmp_path / "s.journal")
    with open_storage("storage", tmp_path / "s.journal") as storage:
        stored = storage.begin(made.setup)
        monkeypatch.setattr(JournalFileBackend, "append_logs", full)
        with pytest.raises(DataError, match="cannot be written: No space left on device"):
            stored.add(Trial(0, Candidate((4,), "constant", "relu"), "failed", 1, reason="x"))


def test_no_finished_trial_is_lost_when_a_search_is_killed() -> None:
    script = Path(__file__).with_name("long_kills.py")
    source = str(Path(__file__).parents[2] / "src")
    words = [sys.executable, str(script), "10"]
    done = subprocess.run(words, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": source})
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("trials after 10 kills, none lost\n")


def test_what_is_stored_is_json_alone(setup: Setup, whole: Space, trial: Any, tmp_path: Path) -> None:
    content = _journal(setup, _trials(whole, trial), tmp_path / "s.journal")
    for line in content.splitlines():
        json.loads(line, parse_constant=lambda word: pytest.fail(f"{word} is no JSON"))
