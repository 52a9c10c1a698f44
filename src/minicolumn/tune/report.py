"""A study as one page of HTML: pictures as inline SVG, the ranking, the story; no network, no script.

Pictures are drawn once, by matplotlib. Their colours become the page's variables, so that light and dark are
the reader's choice; their letters stay letters, in the page's font.
"""

from __future__ import annotations

import html
import importlib.resources
import io
import math
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from minicolumn.errors import DataError
from minicolumn.model.files import PathLike, write_atomically
from minicolumn.picture import BEHIND, COLOURS, FRONT, INK, PALE, QUIET, check_file, new_axes
from minicolumn.tune.pictures.catalogue import PICTURES, drawn
from minicolumn.tune.pictures.style import GRID, PAGE
from minicolumn.tune.trial import Trial, gain

if TYPE_CHECKING:
    from minicolumn.tune.study import Study

_RANKED = 25
_SMALLER = 0.8  # than a picture of its own, so that letters are as large as the page's
# What colours of the pictures are called in the page's style sheet.
_VARIABLES = {
    INK: "ink",
    QUIET: "quiet",
    PALE: "pale",
    GRID: "grid",
    PAGE: "page",
    FRONT: "front",
    BEHIND: "behind",
}
_VARIABLES |= {colour: f"c{place}" for place, colour in enumerate(COLOURS)}
_ORDER = ("topology", "pareto", "sizes", "curves", "importance")
_CAPTIONS = {
    "topology": "The winner.",
    "pareto": "Each dot is a network, trained and scored on every fold. Full dots are no further behind the "
    "best than one standard error of the difference; the winner is the smallest of them.",
    "sizes": "How far more layers and more neurons helped, whatever else was chosen.",
    "curves": "The score on rows that were held out, epoch by epoch.",
    "importance": "Of the candidates that were tried: what was soon left alone looks less important.",
}


def write_report(study: Study, path: PathLike) -> None:
    """Write the page.

    Errors      DataError for a study in which nothing finished, a file that cannot be written, and without
                matplotlib
    """
    write_atomically(path, [report_html(study).encode()])


def report_html(study: Study) -> str:
    """Return the page as text; see `write_report`."""
    check_file("Study.report", None)
    if study.winner is None:
        raise DataError(f"Study.report: {study.why_no_winner()}")
    title = f"{study.setup.target}: a network found by {study.setup.strategy}"
    body = [
        _heading(study),
        _numbers(study),
        _story(study),
        *_pictures(study),
        _ranking(study),
        _setup(study),
    ]
    style = importlib.resources.files("minicolumn.tune").joinpath("report.css").read_text()
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{_text(title)}</title>\n<style>\n{style}</style>\n</head>\n<body>\n<main>\n"
        + "\n".join(body)
        + "\n</main>\n</body>\n</html>\n"
    )


def _heading(study: Study) -> str:
    states = [trial.state for trial in study.records]
    parts = [f"{len(states):,} trial{'s' * (len(states) != 1)}", f"{states.count('finished'):,} finished"]
    parts += [f"{n:,} {state}" for state in ("pruned", "failed") if (n := states.count(state))]
    return (
        f"<header><p class=over>Topology search</p><h1>{_text(study.setup.target)}</h1>"
        f"<p class=sub>{', '.join(parts)} in {study.seconds:,.0f} seconds by {_text(study.setup.strategy)}, "
        f"over {study.setup.folds} folds of {study.setup.rows:,} rows</p></header>"
    )


def _numbers(study: Study) -> str:
    """Return the figures that matter: the winner, its score in the search, and on the test rows."""
    winner = study.winner
    assert winner is not None
    cards = [
        ("winner", _text(winner.candidate.words), f"{winner.parameters:,} weights"),
        (_name(study.score.name), _score(winner), f"cross-validated, {study.setup.folds} folds"),
    ]
    cards += [(_name(name), f"{value:.4g}", "on the test rows") for name, value in _tested(study)]
    listed = "".join(f"<div><dt>{a}</dt><dd>{b}</dd><dd class=small>{c}</dd></div>" for a, b, c in cards)
    return f"<dl class=cards>{listed}</dl>"


def _tested(study: Study) -> list[tuple[str, float]]:
    metrics = {} if study.refit is None else study.refit.metrics
    first = [name for name in (study.score.name, *metrics) if name in metrics]
    return [(name, metrics[name]) for name in list(dict.fromkeys(first))[:3]]


def _story(study: Study) -> str:
    """Return the strategy's sentences, one after the other."""
    if not study.story:
        return ""
    sentences = "".join(f"<li>{_text(sentence)}</li>" for sentence in study.story)
    return f"<section><h2>How it went</h2><ol class=story>{sentences}</ol></section>"


def _pictures(study: Study) -> list[str]:
    """Return the pictures that the study has enough for."""
    found = []
    for name in _ORDER:
        try:
            picture = svg_of(study, name)
        except DataError:  # too few trials, or no refitted winner
            continue
        caption = _CAPTIONS[name]
        found.append(f"<figure>{picture}<figcaption>{caption}</figcaption></figure>")
    return [f"<section class=pictures>{''.join(found)}</section>"]


def svg_of(study: Study, name: str) -> str:
    """Return a picture as SVG for a page: colours are variables, and no id is that of another picture."""
    import matplotlib

    picture = PICTURES[name]
    axes = drawn(study, name, axes=new_axes(_SMALLER * picture.width, _SMALLER * picture.height))
    file = io.StringIO()
    look: Any = {"svg.fonttype": "none", "svg.hashsalt": name}
    with matplotlib.rc_context(look):
        axes.figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None}, transparent=True)
    text = file.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r'\bid="([^"]+)"', rf'id="{name}-\1"', text)
    text = re.sub(r'(xlink:href="#|url\(#)', rf"\g<1>{name}-", text)
    text = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", text, count=1)
    text = re.sub(
        r'(<svg[^>]*?) width="[^"]*"', rf'\1 role="img" aria-label="{PICTURES_TITLES[name]}"', text, count=1
    )
    text = re.sub(r"font: ([^;\"]*?)'[^;\"]*", r"font: \1inherit", text)
    for colour, variable in _VARIABLES.items():
        text = re.sub(re.escape(colour), f"var(--{variable})", text, flags=re.IGNORECASE)
    return text


PICTURES_TITLES = {
    "topology": "Topology of the winner",
    "pareto": "Score by size",
    "sizes": "Score by depth and width",
    "curves": "Learning curves",
    "importance": "Importance of each choice",
}
assert set(PICTURES_TITLES) == set(PICTURES)


def _ranking(study: Study) -> str:
    """Return the ranked table."""
    shown = study.ranked[:_RANKED]
    winner = study.winner
    if winner is not None and winner not in shown:
        shown = [*shown, winner]
    titles = (
        "",
        "network",
        _name(study.score.name),
        "behind",
        "weights",
        "rate",
        "dropout",
        "batch",
        "epoch",
        "seconds",
    )
    head = "".join(f"<th>{title}</th>" for title in titles)
    rows = "".join(_row(study, trial) for trial in shown)
    more = len(study.ranked) - len(shown)
    note = f"<p class=small>and {more:,} more</p>" if more > 0 else ""
    return (
        f"<section><h2>Ranking</h2><div class=wide><table><thead><tr>{head}</tr></thead>"
        f"<tbody>{rows}</tbody></table></div>{note}</section>"
    )


def _row(study: Study, trial: Trial) -> str:
    best, c = study.ranked[0], trial.candidate
    behind, error = gain(best, trial, study.score)
    place = "★" if trial is study.winner else str(study.ranked.index(trial) + 1)
    cells: Sequence[str] = (
        place,
        _text(c.words),
        _score(trial),
        "" if trial is best else f"{behind:.2g} ± {error:.2g}",
        f"{trial.parameters:,}",
        f"{c.learning_rate:.2g}",
        f"{c.dropout:.2g}",
        f"{c.batch_size}",
        f"{trial.epoch} of {c.epochs(study.setup.epochs)}",
        f"{trial.seconds:.2g}",
    )
    kind = " class=winner" if trial is study.winner else ""
    return f"<tr{kind}>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def _setup(study: Study) -> str:
    """Return what was searched, so that it can be searched again."""
    parts = [(name.replace("_", " "), str(part)) for name, part in study.setup.space.said().items()]
    setup = study.setup
    parts += [("strategy", setup.strategy), ("folds", str(setup.folds)), ("epochs", str(setup.epochs))]
    parts += [("seed", str(setup.seed)), ("rows", f"{setup.rows:,}"), ("ended", study.stopped)]
    listed = "".join(f"<div><dt>{_text(name)}</dt><dd>{_text(value)}</dd></div>" for name, value in parts)
    failed = [trial for trial in study.records if trial.state == "failed"]
    lines = "".join(f"<li>{_text(t.candidate.words)}: {_text(t.reason)}</li>" for t in failed[:10])
    trouble = f"<h3>Failed</h3><ul class=story>{lines}</ul>" if failed else ""
    return f"<section><h2>What was searched</h2><dl class=setup>{listed}</dl>{trouble}</section>"


def _score(trial: Trial) -> str:
    bar = "" if math.isnan(trial.error) else f" ± {trial.error:.2g}"
    return f"{trial.score:.4g}{bar}"


def _name(metric: str) -> str:
    return _text({"r2": "R²", "roc_auc": "ROC AUC"}.get(metric, metric.replace("_", " ")))


def _text(value: Any) -> str:
    """Return a text in which nothing is markup."""
    return html.escape(str(value), quote=True)
