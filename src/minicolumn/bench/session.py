"""Benchmark session: every chosen workload on every side, each result as JSON values."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from minicolumn.bench import limit, prediction, startup, training
from minicolumn.bench.machine import describe
from minicolumn.bench.sides import missing, present
from minicolumn.bench.timing import Comparison, Control
from minicolumn.bench.workloads import WORKLOADS, workload_by_name
from minicolumn.errors import DataError, did_you_mean

PARTS = (*WORKLOADS, "predict", "startup")
_STANDS_FOR_ALL = ("tabular",)
_STARTUP_PEERS = ("JAX", "PyTorch", "scikit-learn")

Watch = Callable[[str], None]


@dataclass(frozen=True)
class BenchSettings:
    """What a benchmark session measures.

    parts           names from ``PARTS``
    peers           those to run beside; each must be installed
    seconds         of alternating calls, over all parts
    rounds          fresh processes for each start-up figure
    thorough        torch.compile too, imports of the peers, and first calls of all workloads

    Errors          DataError for an unknown part, with the nearest one
    """

    parts: tuple[str, ...] = PARTS
    peers: tuple[str, ...] = ()
    seconds: float = 10.0
    rounds: int = 3
    thorough: bool = False

    def __post_init__(self) -> None:
        for part in self.parts:
            if part not in PARTS:
                hint = did_you_mean(part, PARTS) or f"; there are {', '.join(PARTS)}"
                raise DataError(f"unknown workload {part!r}{hint}")


def run(settings: BenchSettings, watch: Watch = lambda what: None) -> Iterator[tuple[str, dict[str, Any]]]:
    """Run a session and yield (part, result) as each is done: first "about", last "limit".

    watch       is told what is being measured
    Returns     results of JSON values; times in seconds
    """
    about = describe()
    yield "about", {**about, "peers": list(settings.peers), "absent": list(missing())}
    watch("the machine's limits")
    limits = limit.measure(about["cores"])
    control = Control(about["cores"])
    share = settings.seconds / sum(2 if part == "predict" else 1 for part in settings.parts)
    for part in settings.parts:
        if part == "predict":
            yield part, _predictions(settings, control, share, watch)
        elif part == "startup":
            yield part, _startup(settings, watch)
        else:
            limits = _raised(limits, limit.measure(about["cores"]))
            yield part, _training(part, settings, control, share, limits["flops"], watch)
    yield "limit", limits


def _raised(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """Return the larger of two measurements of the peak: a busy machine only lowers it."""
    return {name: max(one[name], other[name]) for name in one}


def peers_here(wanted: bool) -> tuple[str, ...]:
    """Return the installed peers if they are wanted, else none."""
    return present() if wanted else ()


def _training(
    name: str, settings: BenchSettings, control: Control, seconds: float, flops: float, watch: Watch
) -> dict[str, Any]:
    """Return the result of one training workload, with whether the losses agree."""
    workload = workload_by_name(name)
    watch(f"{name}, whether the losses agree")
    apart = training.agreement(workload, settings.peers)
    found = training.measure(
        workload, settings.peers, control, seconds, _within(watch, name), settings.thorough
    )
    return {
        "title": workload.title,
        "unit": "a step",
        "steps_a_call": workload.steps,
        "flops": workload.flops,
        "limit": workload.flops / flops,
        "apart": apart,
        **as_json(found, training.verdicts(apart, [t.side.name for t in found.times])),
    }


def _predictions(settings: BenchSettings, control: Control, seconds: float, watch: Watch) -> dict[str, Any]:
    """Return the results of the prediction workloads, by their number of rows."""
    results = {}
    for rows in prediction.ROWS:
        name = f"{rows:,} row{'s' if rows > 1 else ''}"
        found, apart = prediction.measure(rows, settings.peers, control, seconds, _within(watch, name))
        results[name] = {
            "title": prediction.TITLE,
            "unit": "a call",
            "apart": apart,
            **as_json(found, prediction.verdicts(apart)),
        }
    return results


def _startup(settings: BenchSettings, watch: Watch) -> dict[str, Any]:
    """Return the start-up results: imports and first calls."""
    peers = [peer for peer in _STARTUP_PEERS if peer in settings.peers]
    imported = peers if settings.thorough else []
    workloads = tuple(WORKLOADS) if settings.thorough else _STANDS_FOR_ALL
    return {
        "import": startup.import_times(settings.rounds, imported, watch),
        "first_call": {name: startup.first_calls(name, settings.rounds, peers, watch) for name in workloads},
    }


def _within(watch: Watch, part: str) -> Watch:
    """Return a watcher that puts a part's name in front."""
    return lambda what: watch(f"{part}: {what}")


def as_json(found: Comparison, verdicts: Mapping[str, bool]) -> dict[str, Any]:
    """Return a comparison as JSON values, times in seconds.

    verdicts    whether a side computes the same; `agrees` is null where that was not checked
    Returns     {"sides": {name: {"best", "median", "rounds", ...}}, "control", "rounds_repeated", "steady"}
    """
    return {
        "sides": {
            t.side.name: {
                "best": t.best,
                "median": t.median,
                "rounds": len(t.seconds),
                "units_a_turn": t.side.units,
                "agrees": verdicts.get(t.side.name),
                "note": t.side.note,
            }
            for t in found.times
        },
        "control": {"best": min(found.control), "worst": max(found.control)},
        "rounds_repeated": found.repeated,
        "steady": found.steady,
    }
