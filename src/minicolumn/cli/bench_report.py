"""Benchmark report: a table for each part as it is done, and a summary of all sides."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from minicolumn.bench.ours import NAME
from minicolumn.cli.screen import heading, labelled, short, visible


def show_part(console: Console, part: str, found: dict[str, Any]) -> None:
    """Print the result of one part of a session, as `minicolumn.bench.session.run` yields it."""
    if part == "about":
        _show_about(console, found)
    elif part == "limit":
        _show_limit(console, found)
    elif part == "startup":
        _show_startup(console, found)
    elif part == "predict":
        for rows, one in found.items():
            _show_sides(console, f"predict {rows}", one)
    else:
        _show_sides(console, part, found)


def _show_about(console: Console, found: dict[str, Any]) -> None:
    """Print the processor and the versions."""
    caches = ", ".join(f"{name} {size}" for name, size in found["caches"].items())
    console.print(heading(found["cpu"], f"{found['cores']} of {found['of_cores']} cores"))
    rows = [
        ("features", " ".join(found["features"]) or "none of note"),
        ("caches", caches or "unknown"),
        ("system", f"{found['system']}, Python {found['python']}"),
        ("versions", ", ".join(f"{name} {version}" for name, version in found["versions"].items())),
        ("beside", ", ".join(found["peers"]) or "nothing"),
        ("not installed", ", ".join(found["absent"])),
    ]
    console.print(labelled([(Text(f"  {k}", "dim"), Text(visible(v))) for k, v in rows if v]))


def _show_limit(console: Console, found: dict[str, Any]) -> None:
    """Print the machine's peak FLOP/s and memory bandwidth."""
    rows = [
        ("multiply-adds", found["flops_core"] / 1e9, found["flops"] / 1e9, "GFLOP/s"),
        ("copying", found["bytes_core"] / 1e9, found["bytes"] / 1e9, "GB/s"),
    ]
    text = [f"{one:.1f} {unit} a core, {every:.1f} for {found['cores']}" for _, one, every, unit in rows]
    labels = [Text(f"  {name}", "dim") for name, *_ in rows]
    console.print(heading("limits", "the most that was seen of this machine"))
    console.print(labelled(list(zip(labels, map(Text, text), strict=True))))


def _show_sides(console: Console, name: str, found: dict[str, Any]) -> None:
    """Print the times of all sides, their ratio to our fastest, and the bound by the machine's peak."""
    console.print(heading(name, found["title"]))
    own = fastest_of_ours(found)
    table = _table(("best", "median", "ratio"))
    table.add_column("")
    for side, times in found["sides"].items():
        style = "bold" if side.startswith(NAME) else ""
        figures = [duration(times["best"]), duration(times["median"]), _ratio(times, own)]
        note = times["note"] if times["agrees"] is not False else "computes something else"
        table.add_row(Text(f"  {side}", style), *figures, Text(short(note, 26), "dim"))
    if "limit" in found:
        share = f"{found['limit'] / own:.2f}" if own else "-"
        table.add_row(Text("  limit", "dim"), duration(found["limit"]), "", share, "")
    console.print(table)
    for line in remarks(found):
        console.print(Text(f"  {line}", "yellow"), soft_wrap=True)


def _table(columns: tuple[str, ...]) -> Table:
    """Return an empty table of a name and right-aligned figures."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("", min_width=22)
    for column in columns:
        table.add_column(column, justify="right" if column else "left", min_width=8)
    return table


def _show_startup(console: Console, found: dict[str, Any]) -> None:
    """Print import times, first calls, and the stages of a cold one."""
    rows = {f"import {name}": times for name, times in found["import"].items()}
    for name, calls in found["first_call"].items():
        rows[f"{name}, first call"] = calls["cold"]
        rows["  from the disk cache"] = calls["warm"]
        rows |= {"  JAX": calls["JAX"]} if "JAX" in calls else {}
        _show_spreads(console, f"startup  {name}" if name else "", rows)
        console.print(Text("  " + _parts(calls["parts"]), "dim"), soft_wrap=True)
        rows = {}


def _show_spreads(console: Console, title: str, rows: dict[str, dict[str, Any]]) -> None:
    """Print best and median of some figures by name."""
    console.print(heading(title, "in fresh processes"))
    table = _table(("best", "median"))
    for name, times in rows.items():
        table.add_row(Text(f"  {name}"), duration(times["best"]), duration(times["median"]))
    console.print(table)


def _parts(parts: dict[str, float]) -> str:
    """Return the stages of a first call in one line."""
    names = {name: name.replace("_", " ").replace("llvm", "LLVM") for name in parts}
    return "of the cold one: " + ", ".join(f"{names[name]} {duration(s)}" for name, s in parts.items())


# Words ------------------------------------------------------------------------------------------------------


def duration(seconds: float) -> str:
    """Format a duration with three significant digits and its unit.

    >>> duration(3.2e-7), duration(4.56e-4), duration(0.0123), duration(1.5)
    ('0.32 us', '456 us', '12.3 ms', '1.50 s')
    """
    for scale, unit in ((1e-3, "us"), (1.0, "ms")):
        if seconds < scale:
            return f"{_three(seconds / scale * 1e3)} {unit}"
    return f"{_three(seconds)} s"


def _three(number: float) -> str:
    """Format a number with about three significant digits."""
    return f"{number:.2f}" if number < 10 else f"{number:.1f}" if number < 100 else f"{number:,.0f}"


def _ratio(times: dict[str, Any], own: float | None) -> str:
    """Return a side's best time over our fastest; "-" where it does not compute the same."""
    return "-" if own is None or times["agrees"] is False else f"{times['best'] / own:.2f}"


def believed(found: dict[str, Any], ours: bool) -> list[tuple[float, str]]:
    """Return the best seconds and names of our sides or the others, but those known to compute otherwise."""
    sides = found["sides"].items()
    return [
        (times["best"], side)
        for side, times in sides
        if side.startswith(NAME) == ours and times["agrees"] is not False
    ]


def fastest_of_ours(found: dict[str, Any]) -> float | None:
    """Return the best seconds of our own sides; None where all of them compute something else."""
    return min((best for best, _ in believed(found, ours=True)), default=None)


def best_peer(found: dict[str, Any]) -> tuple[str, float] | None:
    """Return the fastest of the others and its best seconds; None where there was no other."""
    best = min(believed(found, ours=False), default=None)
    return (best[1], best[0]) if best else None


def remarks(found: dict[str, Any]) -> list[str]:
    """Return what has to be known before the figures are believed."""
    lines, control = [], found["control"]
    if not found["steady"]:
        moved = control["worst"] / control["best"] - 1
        lines.append(f"the machine was busy: the control moved by {moved:.0%}; these figures are rough")
    elif found["rounds_repeated"]:
        lines.append(f"the machine moved: {found['rounds_repeated']} rounds were repeated")
    if any(times["agrees"] is False for times in found["sides"].values()):
        lines.append(f"not all sides compute the same, so some have no ratio: {_apart(found)}")
    return lines


def _apart(found: dict[str, Any]) -> str:
    """Return how far the sides are from us."""
    apart = found["apart"].items()
    return ", ".join(f"{side} {'no numbers' if far is None else f'{far:.1e}'}" for side, far in apart)


def compared(result: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return everything that has sides, by name."""
    found = {name: part for name, part in result.items() if "sides" in part}
    return found | {f"predict {rows}": part for rows, part in result.get("predict", {}).items()}


def show_summary(console: Console, result: dict[str, Any]) -> None:
    """Show each of our sides beside the fastest other; figures from a busy machine are called rough."""
    rows = [
        (name if len(own) == 1 else f"{name}, {side.removeprefix(NAME).strip()}", best, peer, part["steady"])
        for name, part in compared(result).items()
        if (peer := best_peer(part)) and (own := believed(part, ours=True))
        for best, side in own
    ]
    if not rows:
        return
    console.print(heading("All together", "best times"))
    table = _table((NAME, "best other", "", "ratio", ""))
    for name, own, (other, best), steady in rows:
        ratio = Text(f"{best / own:.2f}", "green" if best > own else "red")
        table.add_row(f"  {name}", duration(own), duration(best), other, ratio, "" if steady else "rough")
    console.print(table)
