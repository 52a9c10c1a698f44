"""Write docs/catalogue.md from the registries and their docstrings: `python docs/make/catalogue_page.py`."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import minicolumn as mc
from minicolumn.nn.activations import ALIASES as ACTIVATION_ALIASES
from minicolumn.registry import REQUIRED, settings_of

PAGE = Path(__file__).parents[1] / "catalogue.md"
INTRO = """# The catalogue

Every part that a network, a training or an estimator takes by name or as a record. This page is written by
`docs/make/catalogue_page.py` from the registries and their docstrings, and a test holds it to them.
`help(mc.nn.Dense)`, or of any other, gives shapes, settings, sources, how others differ, and an example that
runs. A wrong name is answered with the nearest one.

The names are the same everywhere:

```
mc.nn.Dense(64, "mish")
mc.fit(net, X, y, loss="huber", optimizer="adamw", schedule="one_cycle")
mc.fit(net, X, y, regularizer="l2:rate=1e-4", constraint="max_norm:limit=3", callbacks="keep_best")
mc.MLPRegressor(activation="mish", loss="huber", solver="adamw", learning_rate="one_cycle")
minicolumn train data.csv --activation mish --loss huber:delta=2 --optimizer adamw --schedule one_cycle
```

Settings follow the name, everywhere: `"leaky_relu:slope=0.3"`, `"huber:delta=2"`, `"sgd:momentum=0.9"`,
several numbers as `"step_decay:at=0.3+0.6"`, a part within a part in parentheses, as in
`"warm_up:inner=(cosine:end=0.1),fraction=0.2"`. On the command line `--activation mish,elu:alpha=0.5` is one
a layer. In place of a name stands a record, too, such as `mc.optim.AdamW(3e-4, weight_decay=0.1)` or
`mc.nn.Loss("huber", delta=2.0)`, or a NumPy function of your own. Behind each name stand its settings, at
their defaults; those without one must be given.
"""
SCORES_NOT_SHARES = (
    "Losses of classes take raw scores and apply softmax or logistic by themselves, as predictions do: the "
    "last layer has none."
)
WRAPPERS = (mc.optim.Clipped, mc.optim.Averaged, mc.optim.Layerwise)
DIRECTION = {True: "higher is better", False: "lower is better", None: "neither is better"}
OWN = """## Names of your own

Every registry takes entries of your own, with a dot in the name, and then the name works in this process
wherever names of its kind do: in layers, in `fit`, in estimators.

```
mc.nn.ACTIVATIONS.add("lab.cube", lambda x: x * x * x)
mc.train.METRICS.add("lab.within", lambda y, p: float(np.mean(abs(y - p) < 1)), higher_is_better=True)
mc.optim.OPTIMIZERS.add("lab.sign", SignDescent)    # a frozen dataclass: help(mc.optim.Optimizer) shows it
```

A model file holds the name alone, and opens where the entry was added before; `help(mc.nn.ACTIVATIONS.add)`
says more. The command line knows the names above.
"""


def layers() -> list[type]:
    """Return the public layers."""
    found = (getattr(mc.nn, name) for name in mc.nn.__all__)
    return sorted(
        (x for x in found if isinstance(x, type) and issubclass(x, mc.nn.Layer) and x is not mc.nn.Layer),
        key=lambda layer: layer.__name__,
    )


def page() -> str:
    """Return the page as Markdown."""
    functions = {name: rule.function for name, rule in mc.nn.ACTIVATIONS.items()}
    losses = {name: rule.function for name, rule in mc.nn.LOSSES.items()}
    variants = _and(f"`{name}` (`{text}`)" for name, text in mc.optim.ALIASES.items())
    sections = [
        _section(
            "Activations",
            functions,
            f"{_also(ACTIVATION_ALIASES)} In grey: the slope.",
            "activations.png",
        ),
        _section("Losses", losses, f"{SCORES_NOT_SHARES} {_also(mc.nn.ALIASES)}"),
        _section("Optimizers", mc.optim.OPTIMIZERS, f"Also {variants}; estimators have `lbfgs` besides."),
        _section("Around any optimizer", _named(WRAPPERS)),
        _section(
            "Schedules", mc.optim.SCHEDULES, "Factors of the optimizer's learning rate.", "schedules.png"
        ),
        _section(
            "Initializers", mc.nn.INITIALIZERS, "`mc.nn.lsuv` scales drawn weights by data, layer by layer."
        ),
        _section("Layers", _named(layers())),
        _section("Penalties", mc.nn.REGULARIZERS, _records(mc.nn.REGULARIZERS)),
        _section("Constraints", mc.nn.CONSTRAINTS, _records(mc.nn.CONSTRAINTS)),
        _section(
            "Callbacks",
            mc.train.CALLBACKS,
            f"{_records(mc.train.CALLBACKS)} `mc.Checkpoint` and own ones, which derive from `mc.Callback`, "
            "are given as objects.",
        ),
        _metrics(),
        OWN,
    ]
    return "\n".join([INTRO, *sections])


def _named(things: Iterable[type]) -> dict[str, type]:
    return {thing.__name__: thing for thing in things}


def _records(registry: Mapping[str, type]) -> str:
    return f"As records: {_and(_code(kind.__name__) for kind in registry.values())}."


def _metrics() -> str:
    """Return the table of metrics: what each judges, which way is better, its settings."""
    metrics = mc.train.METRICS
    rows = [
        f"| `{name}` | {score.of} | {score.help} | {DIRECTION[score.higher_is_better]} | "
        f"{_and(f'`{k}={s.write(s.default)}`' for k, s in score.settings.items())} |"
        for name, score in metrics.items()
    ]
    head = ["| name | of | what it is | | settings |", "|---|---|---|---|---|"]
    return "\n".join(["## Metrics", "", *head, *rows, "", _also(metrics.aliases), ""])


def _section(title: str, things: Mapping[str, Any], more: str = "", picture: str = "") -> str:
    rows = [f"| `{name}` | {_cell(thing)} | {_settings(thing)} |" for name, thing in things.items()]
    parts = [f"## {title}", "", "| name | what it does | settings |", "|---|---|---|", *rows, ""]
    if more:
        parts += [more, ""]
    if picture:
        parts += [f"![{title}](pictures/{picture})", ""]
    return "\n".join(parts)


def _settings(thing: Any) -> str:
    """Return the settings of an entry, at their defaults."""
    return _and(
        f"`{name}`" if s.default is REQUIRED else f"`{name}={s.write(s.default)}`"
        for name, s in settings_of(thing).items()
    )


def _cell(thing: Callable[..., Any]) -> str:
    """Return the first line of a docstring, and its first formula, as a cell of a table."""
    first, *rest = inspect.cleandoc(thing.__doc__ or "").splitlines()
    formula = []
    for line in rest:
        if line.startswith("    "):
            formula.append(_statement(line.strip().replace("`", "")))
        elif line:
            break
    words = [first.replace("``", "`"), *(f"`{line}`" for line in formula)]
    return "<br>".join(words).replace("|", r"\|")


def _statement(line: str) -> str:
    """Return a line of a formula, of which the parts that stood apart are told apart by signs."""
    parts = [" ".join(part.split()) for part in re.split(r",? {3,}", line)]
    label = re.fullmatch(r"(\w+|.*:)", parts[0])
    if not label or len(parts) == 1:
        return "; ".join(parts)
    sign = " " if parts[1].startswith("=") else ": "
    return parts[0].removesuffix(":") + sign + "; ".join(parts[1:])


def _also(aliases: Mapping[str, str]) -> str:
    return f"Also by the names {_and(f'`{k}` (`{v}`)' for k, v in sorted(aliases.items()))}."


def _code(name: str) -> str:
    return f"`{name}`"


def _and(words: Iterable[str]) -> str:
    return ", ".join(words)


if __name__ == "__main__":
    PAGE.write_text(page())
