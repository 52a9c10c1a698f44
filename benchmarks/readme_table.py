"""Markdown tables for the README out of a result: `python benchmarks/readme_table.py RESULT.json`.

The file is one of `minicolumn bench --out`, or of benchmarks/full.py.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from minicolumn.cli.bench_report import believed, compared, duration, remarks

ROUGH = r" \*"  # marks what was measured while the machine was busy


def table(result: dict[str, Any]) -> str:
    """Return a row a workload and a column a side; the fastest is bold, whoever it is."""
    parts = compared(result)
    sides = list(dict.fromkeys(side for part in parts.values() for side in part["sides"]))
    lines = [f"| | {' | '.join(sides)} | limit |", f"|---|{'---:|' * (len(sides) + 1)}"]
    for name, part in parts.items():
        cells = " | ".join(_cell(part, side) for side in sides)
        limit = duration(part["limit"]) if "limit" in part else ""
        rough = "" if part["steady"] else ROUGH
        lines.append(f"| {name} ({part['title']}){rough} | {cells} | {limit} |")
    return "\n".join(lines)


def _cell(part: dict[str, Any], side: str) -> str:
    times = part["sides"].get(side)
    if times is None:
        return ""
    if times["agrees"] is False:
        return "not the same"
    fastest = min(believed(part, ours=True) + believed(part, ours=False))[1]
    note = f" ({times['note']})" if times["note"] in ("no dropout there", "one row only") else ""
    text = duration(times["best"])
    return (f"**{text}**" if side == fastest else text) + note


def startup(found: dict[str, Any]) -> str:
    """Return how long imports and first calls take."""
    lines = ["| in a fresh process | best | median |", "|---|---:|---:|"]
    rows = {f"`import {name}`": times for name, times in found["import"].items()}
    for name, calls in found["first_call"].items():
        rows[f"first call of {name}"] = calls["cold"]
        rows[f"first call of {name}, code on disk"] = calls["warm"]
        rows |= {f"first call of {name}, JAX": calls["JAX"]} if "JAX" in calls else {}
    lines += [f"| {name} | {duration(t['best'])} | {duration(t['median'])} |" for name, t in rows.items()]
    return "\n".join(lines)


def caption(result: dict[str, Any]) -> str:
    """Return what was measured on, what was absent, and what makes the figures rough."""
    about = result["about"]
    versions = ", ".join(f"{name} {version}" for name, version in about["versions"].items())
    words = [
        f"{about['cpu']}, {about['cores']} of {about['of_cores']} cores, {' '.join(about['features'])}; "
        f"Python {about['python']}, {versions}. Best of alternating turns; float32."
    ]
    words += [f"Not installed: {', '.join(about['absent'])}."] if about["absent"] else []
    words += [
        f"{ROUGH.strip()} {name}: {line}."
        for name, part in compared(result).items()
        for line in remarks(part)
    ]
    return "\n".join(words)


def document(result: dict[str, Any], title: str = "") -> str:
    """Return the tables of one session and their caption."""
    found = [f"### {title}"] if title else []
    found += [table(result)] if compared(result) else []
    found += [startup(result["startup"])] if "startup" in result else []
    return "\n\n".join([*found, caption(result)])


def main() -> None:
    """Print the tables."""
    if len(sys.argv) != 2:
        sys.exit("usage: python benchmarks/readme_table.py RESULT.json")
    result = json.loads(Path(sys.argv[1]).read_text())
    halves = {"": result} if "about" in result else result
    print("\n\n".join(document(half, title) for title, half in halves.items()))


if __name__ == "__main__":
    main()
