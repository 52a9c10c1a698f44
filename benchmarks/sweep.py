"""Where each library wins: a training step by width and by batch, as a picture and as JSON.

    python benchmarks/sweep.py [--seconds 1.5] [--out sweep.json] [--from sweep.json] [--pictures FOLDER]

The network is 64-w-w-10 with ReLU under Adam. Widths go at batch 128, batches at width 64. With --from
nothing is measured; the picture is drawn from an earlier result.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from minicolumn.bench import training
from minicolumn.bench.machine import describe
from minicolumn.bench.session import as_json, peers_here
from minicolumn.bench.timing import Control
from minicolumn.bench.workloads import Workload

WIDTHS = [2**k for k in range(3, 12)]
BATCHES = [2**k for k in range(11)]
SWEEPS = {
    "width": [(width, 128) for width in WIDTHS],
    "batch": [(64, batch) for batch in BATCHES],
}
SHOWN = ("minicolumn", "JAX scan", "PyTorch eager", "scikit-learn")
COLORS = dict(zip(SHOWN, ("#c0392b", "#2471a3", "#b9770e", "#1e8449"), strict=True))
PICTURES = Path(__file__).resolve().parents[1] / "docs" / "pictures"


def workload(width: int, batch: int) -> Workload:
    """Return the training at one point."""
    widths, rows = (width, width, 10), max(4096, 4 * batch)
    name = f"width {width}, batch {batch}"
    return Workload(name, 64, widths, "relu", "softmax_cross_entropy", batch, "adam", 1e-3, rows)


def measure(seconds: float) -> dict[str, Any]:
    """Return the times at all points."""
    about = describe()
    control, peers = Control(about["cores"]), peers_here(True)
    found: dict[str, Any] = {"about": about}
    for sweep, points in SWEEPS.items():
        found[sweep] = [_point(workload(*point), peers, control, seconds, point) for point in points]
    return found


def _point(
    work: Workload, peers: tuple[str, ...], control: Control, seconds: float, point: tuple[int, int]
) -> dict[str, Any]:
    apart = training.agreement(work, peers)
    times = training.measure(work, peers, control, seconds, lambda what: None, shown=SHOWN)
    result = as_json(times, training.verdicts(apart, [t.side.name for t in times.times]))
    line = ", ".join(f"{name} {side['best'] * 1e6:.1f}" for name, side in result["sides"].items())
    print(
        f"{work.name}: {line} us{'' if result['steady'] else ' (busy machine)'}", file=sys.stderr, flush=True
    )
    return {"width": point[0], "batch": point[1], "apart": apart, **result}


def draw(found: dict[str, Any], folder: Path) -> None:
    """Draw microseconds a step over width and over batch, all sides as they were measured."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    pyplot.rcParams["svg.hashsalt"] = "bench_sweep"
    figure, plots = pyplot.subplots(1, 2, figsize=(10, 4.2), layout="constrained")
    for plot, (sweep, fixed) in zip(plots, (("width", "batch 128"), ("batch", "width 64")), strict=True):
        _draw_sweep(plot, sweep, found[sweep])
        plot.set(xlabel=f"{sweep} ({fixed})", ylabel="microseconds a step")
    plots[0].legend(frameon=False)
    about = found["about"]
    rough = sum(not p["steady"] for sweep in SWEEPS for p in found[sweep])
    apart = sum(any(s["agrees"] is False for s in p["sides"].values()) for w in SWEEPS for p in found[w])
    of = sum(len(found[sweep]) for sweep in SWEEPS)
    busy = f"; hollow: the machine was busy ({rough} of {of})" if rough else ""
    busy += f"; crosses: losses differ ({apart} of {of})" if apart else ""
    figure.suptitle(
        f"64-w-w-10, ReLU, Adam; {about['cpu']}, {about['cores']} cores; best turns{busy}", fontsize=9
    )
    folder.mkdir(parents=True, exist_ok=True)
    for kind in ("png", "svg"):
        figure.savefig(
            folder / f"bench_sweep.{kind}", dpi=130, metadata={"Date": None} if kind == "svg" else None
        )


def _draw_sweep(plot: Any, sweep: str, points: list[dict[str, Any]]) -> None:
    """Draw every point that was measured; a cross where the losses differ, so that nothing goes missing."""
    for name, color in COLORS.items():
        have = [p for p in points if name in p["sides"]]
        xs, ys = [p[sweep] for p in have], [p["sides"][name]["best"] * 1e6 for p in have]
        plot.plot(xs, ys, color=color, label=name, linewidth=2 if name == SHOWN[0] else 1.3)
        for x, y, p in zip(xs, ys, have, strict=True):
            wrong, face = p["sides"][name]["agrees"] is False, color if p["steady"] else "white"
            look = {"marker": "x", "color": color} if wrong else {"facecolor": face, "edgecolor": color}
            plot.scatter([x], [y], s=40 if wrong else 18, zorder=3, **look)
    plot.set_xscale("log", base=2)
    plot.set_yscale("log")
    plot.grid(alpha=0.25, which="major")


def main() -> None:
    """Measure or read, then draw."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=1.5, help="of alternating turns at each point")
    parser.add_argument("--out", type=Path, help="where the figures go")
    parser.add_argument("--from", dest="source", type=Path, help="draw these figures")
    parser.add_argument("--pictures", type=Path, default=PICTURES)
    options = parser.parse_args()
    found = json.loads(options.source.read_text()) if options.source else measure(options.seconds)
    if options.out:
        options.out.write_text(json.dumps(found, indent=1, allow_nan=False) + "\n")
    draw(found, options.pictures)


if __name__ == "__main__":
    main()
