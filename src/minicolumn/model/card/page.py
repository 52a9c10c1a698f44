"""A model as one page of HTML: its card, scores, columns, network and weights.

No script, and nothing from elsewhere. Light and dark are the reader's choice, and it prints. Everything that
comes from the file is escaped.
"""

from __future__ import annotations

import importlib.resources
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from minicolumn.errors import DataError
from minicolumn.model.card.columns import columns_of, target_of
from minicolumn.model.card.drawing import draw_bars, draw_curves, draw_network
from minicolumn.model.card.layers import Weights, one_network, steps_of, weights_of
from minicolumn.model.card.markup import folded, pairs, section, table, text
from minicolumn.model.metric_names import NAMES, NOTES, figure
from minicolumn.model.model import Model
from minicolumn.nn.outputs import NumberOutputs
from minicolumn.nn.summary import weight_count

_UNKNOWN = "<span class=unknown>not stated</span>"
_COVERAGES = (0.5, 0.8, 0.9, 0.95, 0.99)
_MOST_WEIGHTS = 60  # names, that stand in the page before they are folded away
# Of a training: told in places of their own.
_ELSEWHERE = ("card", "members", "residuals", "fitted", "classes", "class_dtype", "features", "temperature")


@dataclass(frozen=True)
class FileFacts:
    """What a model itself does not know of the file that it came from.

    name    of the file; size: in bytes
    package the version of minicolumn that wrote it; format_version: of the format
    """

    name: str = ""
    size: int = 0
    package: str = ""
    format_version: int = 0


NO_FILE = FileFacts()


def card_page(model: Model, facts: FileFacts = NO_FILE) -> str:
    """Return the page of a model.

    >>> import minicolumn as mc
    >>> "<script" in card_page(mc.zoo.load("xor"))
    False
    """
    style = importlib.resources.files("minicolumn.model.card").joinpath("card.css").read_text("utf-8")
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    title = model.card.title or facts.name or "Model"
    body = "\n".join(part for part in (_head(model, facts), *(make(model) for make in _SECTIONS)) if part)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{text(title)}</title>\n<style>\n{style}</style>\n</head>\n<body>\n<main>\n{body}\n"
        f"<footer>{_foot(model, facts)}</footer>\n</main>\n</body>\n</html>\n"
    )


# The head ---------------------------------------------------------------------------------------------------


def _head(model: Model, facts: FileFacts) -> str:
    card = model.card
    about = f"<p class=about>{text(card.about)}</p>" if card.about else ""
    tiles = "".join(
        f"<div><dt>{text(name)}</dt><dd>{told}</dd><dd class=small>{more}</dd></div>"
        for name, told, more in _tiles(model, facts)
    )
    over = f"Model card{f' · {text(card.name)}' if card.name else ''}"
    title = text(card.title or facts.name or "Model")
    return f"<header><p class=over>{over}</p><h1>{title}</h1>{about}<dl class=tiles>{tiles}</dl></header>"


def _tiles(model: Model, facts: FileFacts) -> list[tuple[str, str, str]]:
    """Return the figures that matter first: name, figure, what it is."""
    found, scores, baseline = [], _scores(model, "test"), _scores(model, "baseline")
    for name in [name for name in NAMES if name in scores][:2]:
        other = f"baseline {figure(name, baseline[name])}" if name in baseline else text(NOTES[name])
        found.append((NAMES[name], figure(name, scores[name]), f"on test rows · {other}"))
    weights = weight_count(model.network, model.input_shape)
    several = f"{model.members} networks" if model.members > 1 else "one network"
    size = f" · {facts.size:,} bytes" if facts.size else ""
    found.append(("weights", f"{weights:,}", f"{model.dtype}, {several}{size}"))
    rows = model.card.rows
    if rows:
        parts = ", ".join(f"{text(name)} {n:,}" for name, n in rows.items() if n)
        found.append(("rows", f"{sum(rows.values()):,}", parts))
    return found


def _scores(model: Model, name: str) -> dict[str, float]:
    """Return the scores of one name that are numbers."""
    told = model.metrics.get(name)
    return (
        {k: float(v) for k, v in told.items() if isinstance(v, int | float)} if isinstance(told, dict) else {}
    )


def _foot(model: Model, facts: FileFacts) -> str:
    written = f"written by minicolumn {text(facts.package)}" if facts.package else ""
    version = f"format {facts.format_version}" if facts.format_version else ""
    return " · ".join(part for part in (text(facts.name), version, written) if part)


# Sections ---------------------------------------------------------------------------------------------------


def _card(model: Model) -> str:
    card, data = model.card, model.card.data
    hashes = "<br>".join(f"{text(name)}: <code>{text(sha)}</code>" for name, sha in data.sha256.items())
    digest = f"<code>{text(model.data_hash)}</code>" if model.data_hash else ""
    rebuild = f"<pre>{text(card.rebuild)}</pre>" if card.rebuild else _UNKNOWN
    return section(
        "Card",
        pairs(
            [
                ("what it is for", text(card.about) or _UNKNOWN),
                ("what it is not for", text(card.limits) or _UNKNOWN),
                ("data", text(data.name) or _UNKNOWN),
                ("published", text(data.origin)),
                ("licence of the data", text(data.licence) or _UNKNOWN),
                ("sha256", hashes),
                ("digest of the rows", digest),
                ("split", text(card.split) or _UNKNOWN),
                ("how to make it again", rebuild),
            ]
        ),
    )


def _table_of_scores(model: Model) -> str:
    scores, baseline = _scores(model, "test"), _scores(model, "baseline")
    rows = [
        (
            text(NAMES.get(name, name.replace("_", " "))),
            f"<b>{figure(name, value)}</b>",
            figure(name, baseline.get(name)),
            text(NOTES.get(name, "")),
        )
        for name, value in scores.items()
    ]
    others = {k: v for k, v in model.metrics.items() if k not in ("test", "baseline")}
    more = pairs((name, text(_value(value))) for name, value in others.items())
    note = (
        "On rows that took no part in the training. The baseline always gives the same answer."
        if rows
        else ""
    )
    return section("Scores", table(("", "model", "baseline", ""), rows, (1, 2)), more, note=note) or section(
        "Scores", f"<p>{_UNKNOWN}: the file holds no scores of test rows.</p>"
    )


def _schema(model: Model) -> str:
    told = columns_of(model)
    rows = [tuple(text(cell, 300) for cell in row) for row in told.read]
    left = table(("left out", "kind", "why"), [tuple(text(cell, 300) for cell in row) for row in told.left])
    listed = table(("column", "kind", "read as", "seen in training", "features"), rows, (4,))
    names = model.training.get("features")
    if not rows and isinstance(names, list):
        listed = f"<p>{text(', '.join(map(str, names)))}</p>"
    if not rows and not listed:
        listed = f"<p>Takes arrays: rows of {text(' x '.join(map(str, model.input_shape)))} numbers.</p>"
    return section("What it reads", listed, left) + section("What it answers", pairs(_answers(model)))


def _answers(model: Model) -> list[tuple[str, str]]:
    classes = model.classes
    shown = (
        "" if classes is None else " ".join(f"<span class=label>{text(c, 80)}</span>" for c in classes[:60])
    )
    more = "" if classes is None or len(classes) <= 60 else f" and {len(classes) - 60} more"
    loss = model.loss_record
    return [
        ("target", text(target_of(model))),
        (f"{len(classes or ())} classes", shown + more),
        ("loss", text(model.loss if loss is None else repr(loss))),
        ("outputs", text("" if model.outputs is None else model.outputs.kind)),
    ]


def _network(model: Model) -> str:
    network, members = one_network(model.network)
    steps = list(steps_of(network, tuple(model.input_shape)))
    note = (
        f"One of {members} members, whose answers are averaged; the others may differ." if members > 1 else ""
    )
    features = 1
    for size in model.input_shape:
        features *= size
    rows = [
        (
            text(step.detail, 120),
            text(" x ".join(map(str, step.out))),
            f"{step.weights:,}" if step.weights else "",
        )
        for step in steps
    ]
    drawn = f"<figure class=wide>{draw_network(features, steps)}</figure>"
    return section("Network", drawn, table(("layer", "gives", "weights"), rows, (1, 2)), note=note)


def _members(model: Model) -> str:
    members = model.training.get("members")
    if not isinstance(members, list) or not all(isinstance(member, dict) for member in members):
        return ""
    names = ("epochs_run", "best_epoch", "held_out_loss", "expected_loss")
    told = [[member.get(name) for name in names] for member in members]
    before = [None, *(row[3] for row in told)]
    rows = [
        (
            str(k),
            *(text(_number(value)) for value in row),
            text(_number(_gain(before[k - 1], row[3]), "+.3g")),
        )
        for k, row in enumerate(told, 1)
    ]
    head = ("", "epochs", "kept", "loss alone", "of the mean so far", "what it adds")
    note = "In the order in which they were chosen. Losses are of held-out rows, of the mean as expected."
    return section("Members", table(head, rows, range(6)), note=note)


def _gain(before: Any, after: Any) -> float | None:
    known = all(isinstance(value, int | float) for value in (before, after))
    return after - before if known else None


def _decisions(model: Model) -> str:
    """Return calibration, threshold and intervals, as far as there are any."""
    temperature = model.training.get("temperature")
    fitted = model.training.get("fitted")
    if temperature is None and isinstance(fitted, dict):
        temperature = fitted.get("temperature_")
    listed = [("temperature", text(_number(temperature)) if isinstance(temperature, int | float) else "")]
    if model.table is not None and model.table.classes is not None and len(model.table.classes) == 2:
        second = text(model.table.classes[1], 80)
        listed.append(("threshold", f"{second} from a probability of {model.table.threshold:.4g} on"))
    intervals = table(("coverage", "lower", "upper"), _intervals(model), (0, 1, 2))
    return section("Calibration, thresholds and intervals", pairs(listed), intervals)


def _intervals(model: Model) -> list[tuple[str, str, str]]:
    """Return how far intervals reach, in the target's unit, where that is the same for each row."""
    residuals, outputs, encoder = model.residuals, model.outputs, model.table
    bent = encoder is not None and encoder.target_unit != 0
    if residuals is None or not isinstance(outputs, NumberOutputs) or outputs.width != 1 or bent:
        return []
    scale = 1.0 if encoder is None else encoder.target_scale
    rows = []
    for coverage in _COVERAGES:
        try:
            radius = figure("rmse", residuals.radius(coverage) * scale)
        except DataError:  # of which too few rows were held out
            continue
        rows.append((f"{coverage:.0%}", f"prediction - {radius}", f"prediction + {radius}"))
    return rows


def _weights(model: Model) -> str:
    _, members = one_network(model.network)
    found = weights_of(model.params, members)
    rows = [_weight_row(each) for each in found]
    head = ("weights", "shape", "mean", "deviation", "least", "greatest", "zeros", "")
    listed = table(head, rows, range(2, 7))
    if len(rows) > _MOST_WEIGHTS:
        listed = folded(f"{len(rows)} names", listed)
    return section("Weights", listed)


def _weight_row(each: Weights) -> tuple[str, ...]:
    shape = " x ".join(map(str, each.shape)) or "1"
    figures = (each.mean, each.deviation, each.least, each.greatest)
    return (
        f"<code>{text(each.name)}</code>",
        text(f"{each.members} of {shape}" if each.members > 1 else shape),
        *(text(_number(value)) for value in figures),
        f"{each.zeros:.1%}" if each.zeros else "",
        draw_bars(each),
    )


def _history(model: Model) -> str:
    rows = model.history
    names = [
        name for name in ("loss", "val_loss") if any(isinstance(row.get(name), float | int) for row in rows)
    ]
    curves = [(_CURVES[name], [_figure(row.get(name)) for row in rows]) for name in names]
    best = model.training.get("best_epoch")
    drawn = draw_curves(curves, best if type(best) is int and best < len(rows) else None)
    return section("Learning curves", f"<figure>{drawn}</figure>" if drawn else "")


_CURVES = {"loss": "loss on training rows", "val_loss": "loss on held-out rows"}


def _figure(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _training(model: Model) -> str:
    told = {k: v for k, v in model.training.items() if k not in _ELSEWHERE and v is not None}
    fitted = model.training.get("fitted")
    parameters = fitted.get("parameters") if isinstance(fitted, dict) else None
    listed = pairs((name.replace("_", " "), text(_value(value), 400)) for name, value in sorted(told.items()))
    more = ""
    if isinstance(parameters, dict):
        more = folded("Parameters", pairs((name, text(_value(v), 400)) for name, v in parameters.items()))
    return section("Training", listed, more)


_SECTIONS: tuple[Callable[[Model], str], ...] = (
    _card, _table_of_scores, _schema, _network, _members, _decisions, _weights, _history, _training,
)  # fmt: skip


def _number(value: Any, form: str = ".4g") -> str:
    """Return a number with as many digits as it deserves; "-" for none."""
    return format(value, form) if isinstance(value, int | float) else "-" if value is None else str(value)


def _value(value: Any) -> str:
    """Return a setting in one line; a record as its name and settings."""
    if isinstance(value, Mapping):
        name = str(value.get("name", ""))
        rest = ", ".join(f"{key} {_value(inner)}" for key, inner in value.items() if key != "name")
        return f"{name}: {rest}" if name and rest else name or rest
    if isinstance(value, list | tuple):
        return ", ".join(map(_value, value))
    return f"{value:.6g}" if isinstance(value, float) else str(value)
