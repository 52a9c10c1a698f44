"""Test scores of the default recipe on tables, beside scikit-learn's network and LightGBM on the same rows.

    python benchmarks/table_scores.py [SET ...] [--data DIR] [--seeds 0 1 2] [--splits 0] [--efforts single]

One line a set and entrant: mean, worst and best score over the seeds. A seed drives the first weights, the
order of the rows and dropout; the test and the validation rows are those of --splits. The peers:

    single         one network, as members=1 trains it; quick, normal and high: ensembles, by their effort
    scikit-learn   MLPClassifier or MLPRegressor (early_stopping=True, random_state=seed, the rest default);
                   numbers filled with the median and standardised, words one-hot, targets standardised
    LightGBM       LGBMClassifier or LGBMRegressor with its defaults, words as ordinal codes; if installed
    RealMLP-TD     pytabkit's, with its defaults (--peers RealMLP-TD), words as categories, a thread
    TabM           pytabkit's TabM_D, with its defaults (--peers TabM), a thread

All train on the training and the validation rows together, and hold out of them what they hold out.
Seconds are those of the clock; those in brackets are the processor's, of all threads.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import importlib.util
import os
import platform
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from minicolumn.model import metrics
from minicolumn.tables import Overrides, read_table
from minicolumn.tabular import TablePlan, TableSettings, plan_table, train_plan
from minicolumn.tabular.efforts import EFFORTS

Array = np.ndarray
Scores = dict[str, float]


@dataclass(frozen=True)
class Task:
    """What is asked of a table."""

    target: str
    drop: tuple[str, ...] = ()
    task: str | None = None


SETS = {
    "adult_income": Task("income"),
    "telco_churn": Task("Churn"),
    "letter_recognition": Task("class"),
    "spambase": Task("class"),
    "credit_g": Task("class"),
    "california_housing": Task("median_house_value"),
    "bike_sharing_hourly": Task("cnt", ("casual", "registered", "instant", "dteday")),
    "wine_quality": Task("quality", task="regression"),
    "ames_housing": Task("SalePrice", ("Order", "PID")),
    "concrete_strength": Task("strength"),
}
SHOWN = ("accuracy", "log_loss", "r2")


def ours(plan: TablePlan, seed: int) -> Scores:
    """Train by the default recipe, with the weights, batches and dropout of a seed."""
    draw = lambda number: int(np.random.SeedSequence([seed, number]).generate_state(1)[0])  # noqa: E731
    members = tuple(replace(member, seed=draw(member.number)) for member in plan.members)
    return train_plan(replace(plan, settings=replace(plan.settings, seed=seed), members=members)).metrics


def scikit_learn(plan: TablePlan, seed: int) -> Scores:
    """Train scikit-learn's network behind a standard scaler and a one-hot encoder."""
    from sklearn.impute import SimpleImputer
    from sklearn.neural_network import MLPClassifier, MLPRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    numbers = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    words = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    kind = MLPRegressor if plan.encoder.classes is None else MLPClassifier
    return peer(plan, numbers, words, kind(early_stopping=True, random_state=seed))


def light_gbm(plan: TablePlan, seed: int) -> Scores:
    """Train LightGBM with its defaults."""
    from lightgbm import LGBMClassifier, LGBMRegressor
    from sklearn.preprocessing import OrdinalEncoder

    words = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    kind = LGBMRegressor if plan.encoder.classes is None else LGBMClassifier
    return peer(plan, "passthrough", words, kind(random_state=seed, verbose=-1, n_jobs=1))


def peer(plan: TablePlan, numbers: Any, words: Any, estimator: Any) -> Scores:
    """Train an estimator on the columns as the schema found them, and score it on the test rows."""
    import polars
    from sklearn.compose import make_column_transformer

    measured = [column.name for column in plan.schema.used if column.kind == "number"]
    named = [column.name for column in plan.schema.used if column.kind != "number"]
    encode = make_column_transformer((numbers, measured), (words, named))
    known = polars.concat([plan.train.frame, plan.validation.frame])
    X = encode.fit_transform(plain(known, measured, named))
    tested = encode.transform(plain(plan.test.frame, measured, named))
    y, right = np.concatenate([plan.train.y, plan.validation.y]), plan.test.y
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        estimator.fit(X, y)
        if plan.encoder.classes is None:
            return metrics.regression_scores(right, estimator.predict(tested))
        return metrics.classification_scores(right, estimator.predict_proba(tested))


PYTABKIT = {"RealMLP-TD": "RealMLP_TD", "TabM": "TabM_D"}


def pytabkit(plan: TablePlan, seed: int, who: str) -> Scores:
    """Train a network of pytabkit with its defaults, on one thread, words as categories."""
    import polars
    import pytabkit

    kind = "Regressor" if plan.encoder.classes is None else "Classifier"
    estimator = getattr(pytabkit, f"{PYTABKIT[who]}_{kind}")(random_state=seed, device="cpu", n_threads=1)
    measured = [column.name for column in plan.schema.used if column.kind == "number"]
    named = [column.name for column in plan.schema.used if column.kind != "number"]
    known = polars.concat([plan.train.frame, plan.validation.frame])
    X, tested = (plain(frame, measured, named).to_pandas() for frame in (known, plan.test.frame))
    medians = X[measured].median()  # it takes no missing numbers
    X, tested = X.fillna(medians), tested.fillna(medians)
    y, right = np.concatenate([plan.train.y, plan.validation.y]), plan.test.y
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        estimator.fit(X, y, cat_col_names=named)
        if plan.encoder.classes is None:
            return metrics.regression_scores(right, estimator.predict(tested))
        return metrics.classification_scores(right, estimator.predict_proba(tested))


def plain(frame: Any, measured: list[str], named: list[str]) -> Any:
    """Return a pandas-free frame of floats and words, without a null among the words."""
    import polars

    numbers = [
        polars.col(name).cast(polars.Float64, strict=False).fill_null(float("nan")) for name in measured
    ]
    words = [polars.col(name).cast(polars.String).fill_null("") for name in named]
    return frame.select(numbers + words)


@dataclass(frozen=True)
class Trial:
    """Who trained, what it scored, and the seconds of the clock and of the processor that it took."""

    who: str
    scores: Scores
    seconds: float
    processor: float


def trials(place: Path, name: str, arguments: argparse.Namespace) -> Iterator[Trial]:
    """Train every entrant with every split and seed."""
    frame, task = read_table(place), SETS[name]
    for split in arguments.splits:
        settings = TableSettings(task.target, task=task.task, overrides=Overrides(drop=task.drop), seed=split)
        plan = plan_table(frame, settings)
        plans = {effort: plan_table(frame, asked(settings, effort)) for effort in arguments.efforts}
        for seed in arguments.seeds:
            entrants: list[tuple[str, Callable[[], Scores]]] = [
                *((effort, lambda p=own, s=seed: ours(p, s)) for effort, own in plans.items()),
                ("scikit-learn", lambda p=plan, s=seed: scikit_learn(p, s)),
            ]
            if importlib.util.find_spec("lightgbm"):
                entrants.append(("LightGBM", lambda p=plan, s=seed: light_gbm(p, s)))
            entrants += [(who, lambda p=plan, s=seed, w=who: pytabkit(p, s, w)) for who in arguments.peers]
            for who, train in entrants:
                if arguments.only is None or who in arguments.only:
                    started, used = time.perf_counter(), time.process_time()
                    scores = train()
                    yield Trial(who, scores, time.perf_counter() - started, time.process_time() - used)


def asked(settings: TableSettings, effort: str) -> TableSettings:
    """Return the settings of an effort; "single" is one network."""
    if effort == "single":
        return settings
    return replace(settings, effort=effort, members=None)


def show(name: str, found: list[Trial]) -> None:
    """Print the lines of one set."""
    for who in dict.fromkeys(trial.who for trial in found):
        own = [trial for trial in found if trial.who == who]
        seconds, processor = (
            float(np.mean([getattr(t, key) for t in own])) for key in ("seconds", "processor")
        )
        line = f"{name:<20} {who:<13} {seconds:>7.1f} s ({processor:>7.1f}) "
        for metric in SHOWN:
            values = np.array([trial.scores[metric] for trial in own if metric in trial.scores])
            if len(values):
                worst, best = (
                    (values.max(), values.min()) if metric == "log_loss" else (values.min(), values.max())
                )
                line += f"  {metric} {values.mean():.3f} (worst {worst:.3f}, best {best:.3f})"
        print(line, flush=True)


def machine() -> str:
    """Return the machine and the versions."""
    packages = [
        name
        for name in ("numpy", "scikit-learn", "lightgbm", "polars", "pytabkit", "torch")
        if _installed(name)
    ]
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in packages)
    kind = platform.processor() or platform.machine()
    return f"{kind}, {os.cpu_count()} cores; Python {platform.python_version()}, {versions}"


def _installed(name: str) -> bool:
    try:
        importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("sets", nargs="*", metavar="SET", help=f"all of {', '.join(SETS)} by default")
    parser.add_argument("--data", type=Path, default=Path(__file__).resolve().parents[2] / "shared" / "data")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--splits", type=int, nargs="+", default=[0])
    parser.add_argument(
        "--efforts", nargs="+", choices=["single", *EFFORTS], default=["single", "normal"], metavar="EFFORT"
    )
    parser.add_argument("--peers", nargs="+", choices=list(PYTABKIT), default=[], metavar="PEER")
    parser.add_argument("--only", nargs="+", metavar="ENTRANT", help="leave the others out")
    arguments = parser.parse_args()
    if unknown := [name for name in arguments.sets if name not in SETS]:
        parser.error(f"unknown set {unknown[0]!r}; expected {', '.join(SETS)}")
    print(machine())
    for name in arguments.sets or SETS:
        place = arguments.data / f"{name}.csv.gz"
        if place.exists():
            show(name, list(trials(place, name, arguments)))
        else:
            print(f"{name:<20} skipped: {place} is not there")


if __name__ == "__main__":
    main()
