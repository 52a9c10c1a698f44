"""A whole session of measurements, as JSON takes it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from minicolumn.bench import limit, prediction, startup, training
from minicolumn.bench.machine import describe
from minicolumn.bench.sides import missing, present
from minicolumn.bench.timing import Comparison, Control
from minicolumn.bench.workloads import WORKLOADS, workload_by_name
from minicolumn.errors import DataError, did_you_mean

PARTS = (*WORKLOADS, "predict", "startup")
_STARTUP_PEERS = ("JAX", "PyTorch", "scikit-learn")

Watch = Callable[[str], None]


@dataclass(frozen=True)
class Settings:
    """What to measure.

    parts           names from ``PARTS``
    peers           those to run beside; each must be installed
    seconds         of alternating turns, over all parts
    rounds          fresh processes for each figure of the beginning
    torch_compile   whether PyTorch also runs compiled, which takes long to begin
    """

    parts: tuple[str, ...] = PARTS
    peers: tuple[str, ...] = ()
    seconds: float = 10.0
    rounds: int = 3
    torch_compile: bool = False

    def __post_init__(self) -> None:
        for part in self.parts:
            if part not in PARTS:
                hint = did_you_mean(part, PARTS) or f"; there are {', '.join(PARTS)}"
                raise DataError(f"unknown workload {part!r}{hint}")


def run(settings: Settings, watch: Watch = lambda what: None) -> Iterator[tuple[str, dict[str, Any]]]:
    """Give the result of each part as it is done: first "about", then "limit", then what was asked for."""
    about = describe()
    yield "about", {**about, "peers": list(settings.peers), "absent": list(missing())}
    watch("the machine's limits")
    limits = limit.measure(about["cores"])
    yield "limit", limits
    control = Control(about["cores"])
    share = settings.seconds / sum(2 if part == "predict" else 1 for part in settings.parts)
    for part in settings.parts:
        if part == "predict":
            yield part, _predictions(settings, control, share, watch)
        elif part == "startup":
            yield part, _startup(settings, watch)
        else:
            yield part, _training(part, settings, control, share, limits["flops"], watch)


def peers_here(wanted: bool) -> tuple[str, ...]:
    """Return the peers that can be run here, or none."""
    return present() if wanted else ()


def _training(
    name: str, settings: Settings, control: Control, seconds: float, flops: float, watch: Watch
) -> dict[str, Any]:
    workload = workload_by_name(name)
    watch(f"{name}, whether the losses agree")
    apart = training.agreement(workload, settings.peers)
    found = training.measure(
        workload, settings.peers, control, seconds, _within(watch, name), settings.torch_compile
    )
    return {
        "title": workload.title,
        "unit": "a step",
        "steps_a_call": workload.steps,
        "flops": workload.flops,
        "limit": workload.flops / flops,
        "losses_apart": apart,
        "agree": all(far <= training.TOLERANCE for far in apart.values()),
        **as_json(found),
    }


def _predictions(settings: Settings, control: Control, seconds: float, watch: Watch) -> dict[str, Any]:
    results = {}
    for rows in prediction.ROWS:
        name = f"{rows:,} row{'s' if rows > 1 else ''}"
        found, apart = prediction.measure(rows, settings.peers, control, seconds, _within(watch, name))
        results[name] = {
            "title": f"{prediction.TITLE}, {name}",
            "unit": "a call",
            "outputs_apart": apart,
            "agree": all(far <= prediction.TOLERANCE for far in apart.values()),
            **as_json(found),
        }
    return results


def _startup(settings: Settings, watch: Watch) -> dict[str, Any]:
    peers = [peer for peer in _STARTUP_PEERS if peer in settings.peers]
    return {
        "import": startup.import_times(settings.rounds, peers, watch),
        "first_call": {
            name: startup.first_calls(name, settings.rounds, peers, watch) for name in _trained(settings)
        },
    }


def _trained(settings: Settings) -> Sequence[str]:
    """Return the workloads whose first call is looked at: those asked for, or one that stands for all."""
    return [part for part in settings.parts if part in WORKLOADS] or ["tabular"]


def _within(watch: Watch, part: str) -> Watch:
    return lambda what: watch(f"{part}: {what}")


def as_json(found: Comparison) -> dict[str, Any]:
    """Return a comparison as JSON takes it, times in seconds."""
    return {
        "sides": {
            t.side.name: {
                "best": t.best,
                "median": t.median,
                "rounds": len(t.seconds),
                "units_a_turn": t.side.units,
                "note": t.side.note,
            }
            for t in found.times
        },
        "control": {"best": min(found.control), "worst": max(found.control)},
        "rounds_repeated": found.repeated,
        "steady": found.steady,
    }
