"""A study: all that a search found, from which tables, pictures and the winner are made."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from minicolumn.errors import DataError
from minicolumn.model.files import PathLike
from minicolumn.tune.arrays import as_rows
from minicolumn.tune.pictures.plots import Plots
from minicolumn.tune.score import Score
from minicolumn.tune.space import Space
from minicolumn.tune.trial import Trial, ranked, smallest_within, with_error

if TYPE_CHECKING:
    import numpy as np
    import polars

    from minicolumn.model.model import Model
    from minicolumn.tabular.pipeline import TableRun

WinnerRule = Literal["smallest", "best"]


@dataclass(frozen=True, kw_only=True)
class Setup:
    """What a search was asked for: with it and the same rows, the same trials come again on one thread.

    space       complete, as it was searched
    strategy    by name; seed: of the strategy, the folds and the networks
    score       what decides; folds; epochs: of the longest training
    target, task, rows, data    the table: column, kind, rows that train, and their digest
    """

    space: Space
    strategy: str
    score: Score
    folds: int
    epochs: int
    seed: int
    target: str
    task: str
    rows: int
    data: str


@dataclass(frozen=True, eq=False, repr=False)
class Study(Plots):
    """The result of a search: every trial, the best of them, and the winner as a trained model.

    setup       what was asked for
    records     the trials, in the order in which they ended; `trials` is the same as a data frame
    story       the strategy's steps in words
    seconds     that the search took; stopped: why it ended: "all tried", "out of time", "trials",
                "target score" or "interrupted"
    rule        how the winner is chosen: "smallest" within one standard error of the best, or "best"
    refit       the winner, trained on all training rows; None where nothing finished or nothing was refitted

    >>> import minicolumn as mc
    >>> space = mc.tune.Space(layers=1, width=[4, 8], activation="relu", ramps=False)
    >>> study = mc.tune("penguins", space=space, strategy="random", trials=2, epochs=3, folds=2)
    >>> len(study.records), study.winner in study.records, study.best_model.table is not None
    (2, True, True)
    """

    setup: Setup
    records: tuple[Trial, ...]
    story: tuple[str, ...] = ()
    seconds: float = 0.0
    stopped: str = ""
    rule: WinnerRule = "smallest"
    refit: TableRun | None = None

    @property
    def score(self) -> Score:
        """The score that decides."""
        return self.setup.score

    @cached_property
    def ranked(self) -> list[Trial]:
        """The finished trials, the best first."""
        return ranked(self.records, self.score)

    @property
    def best(self) -> Trial | None:
        """The finished trial with the best score; None without any."""
        return self.ranked[0] if self.ranked else None

    @property
    def winner(self) -> Trial | None:
        """The trial that is refitted, by `rule`; None where none finished."""
        return self.best if self.rule == "best" else smallest_within(self.records, self.score)

    @property
    def best_model(self) -> Model:
        """The winner trained on all training rows; DataError where nothing finished."""
        return self._refitted().model

    @property
    def metrics(self) -> dict[str, float]:
        """Scores of the winner on the test rows, which took no part in the search."""
        return self._refitted().metrics

    @property
    def trials(self) -> polars.DataFrame:
        """All trials as a data frame, one row each, in the order in which they ended.

        Columns of the candidate's parts, of what became of it, and lists for hidden layers and folds.
        """
        import polars

        rows = [_row(trial) for trial in self.records]
        return polars.DataFrame(rows, infer_schema_length=None)

    def predict(self, rows: Any) -> np.ndarray:
        """Predict raw rows with the winner: labels, or numbers in the target's unit.

        rows        in any form that `mc.tune` takes: a frame, dicts, or an array like the X that was given
        """
        return self._refitted().predict(as_rows(rows))

    def save(self, path: PathLike) -> None:
        """Write the winner's model file, which `mc.load` and the command line open."""
        self.best_model.save(path)

    def _refitted(self) -> TableRun:
        if self.refit is None:
            raise DataError(f"the search has no winner: {self.why_no_winner()}")
        return self.refit

    def why_no_winner(self) -> str:
        """Return why there is no winner, in words."""
        failed = [trial for trial in self.records if trial.state == "failed"]
        if failed:
            return f"none of {len(self.records)} trials finished; the first failed: {failed[0].reason}"
        return "no trial finished" if not self.ranked else "it was not refitted"

    def __repr__(self) -> str:
        lines = [f"Study: {len(self.records)} trials by {self.setup.strategy}, {len(self.ranked)} finished"]
        if self.winner is not None:
            bar = with_error(self.winner.score, self.winner.error)
            lines.append(
                f"  {self.winner.candidate.words}: {self.score.name} {bar} over {self.setup.folds} folds"
            )
        if self.refit is not None:
            lines += [f"  test {name} {value:.4g}" for name, value in self.refit.metrics.items()]
        return "\n".join(lines)


def _row(trial: Trial) -> dict[str, Any]:
    """Return a trial as a row of a data frame."""
    candidate = trial.candidate.to_json()
    del candidate["choices"]
    ended = {
        "number": trial.number,
        "state": trial.state,
        "score": trial.score,
        "error": trial.error,
        "epoch": trial.epoch,
        "parameters": trial.parameters,
        "seconds": trial.seconds,
    }
    return {**ended, **candidate, "by_fold": list(trial.by_fold), "step": trial.step, "reason": trial.reason}
