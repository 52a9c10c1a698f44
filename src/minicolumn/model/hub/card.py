"""The page of a model on the hub: front matter that the hub reads, and what a reader should know.

Source      the hub's documentation of model cards: license, tags, library_name, pipeline_tag, model-index
"""

from __future__ import annotations

import math
from typing import Any

from minicolumn.errors import DataError
from minicolumn.model.card.record import Card
from minicolumn.model.model import Model
from minicolumn.nn.outputs import ClassOutputs

# Licences of data in the words of people, by the hub's identifiers.
_LICENSES = {
    "cc0-1.0": ("cc0 1.0", "cc0"),
    "cc-by-4.0": ("cc by 4.0",),
    "cc-by-3.0": ("cc by 3.0",),
    "cc-by-sa-3.0": ("cc by-sa 3.0",),
    "cc-by-sa-4.0": ("cc by-sa 4.0",),
    "apache-2.0": ("apache 2.0", "apache licence 2.0", "apache license 2.0"),
    "mit": ("mit", "mit licence", "mit license"),
    "bsd-3-clause": ("bsd 3-clause", "bsd-3"),
}
_METRICS = {"accuracy": "Accuracy", "balanced_accuracy": "Balanced accuracy", "log_loss": "Log loss",
            "roc_auc": "ROC AUC", "r2": "R2", "rmse": "RMSE", "mae": "MAE"}  # fmt: skip


def hub_license(model: Model, said: str | None = None) -> str:
    """Return the hub's identifier of a model's licence: the one said, or that of the data in its card.

    Errors      DataError where nothing is known

    >>> import minicolumn as mc
    >>> hub_license(mc.zoo.load("penguins"))
    'cc0-1.0'
    """
    if said is not None:
        return said
    told = model.card.data.licence.strip().lower()
    for identifier, words in _LICENSES.items():
        if told in (identifier, *words):
            return identifier
    raise DataError("hub: the model does not say its licence; say it: --license apache-2.0")


def hub_card(model: Model, repository: str, license: str, file: str = "model.safetensors") -> str:
    """Return the page of a model, Markdown with front matter in YAML.

    repository  OWNER/NAME on the hub
    license     an identifier of the hub, such as "mit" or "cc-by-4.0"
    file        the name of the model file in the repository
    Errors      DataError where huggingface_hub is not installed, which writes the front matter
    """
    from minicolumn.model.hub.client import hub_library

    library = hub_library()
    card, name = model.card, repository.split("/")[-1]
    scores = _scores(model.metrics.get("test", {}))
    data = card.data.name or "rows held out"
    task = _task(model)
    results = [
        library.EvalResult(
            task_type=task,
            dataset_type=_slug(data),
            dataset_name=data,
            dataset_split="test",
            metric_type=metric,
            metric_name=_METRICS.get(metric, metric),
            metric_value=value,
        )
        for metric, value in scores.items()
    ]
    front = library.ModelCardData(
        license=license,
        library_name="minicolumn",
        tags=["minicolumn", "safetensors", *([] if model.table is None else ["tabular"])],
        pipeline_tag=task,
        model_name=name,
        metrics=list(scores) or None,
        eval_results=results or None,
    )
    return f"---\n{front.to_yaml()}\n---\n\n{_page(model, card, repository, file, scores)}"


def _page(model: Model, card: Card, repository: str, file: str, scores: dict[str, float]) -> str:
    """Return the page behind the front matter."""
    baseline = _scores(model.metrics.get("baseline", {}))
    lines = [f"# {_inline(card.title)}", ""]
    told = ", ".join(text for text in (card.data.name, card.data.origin, card.data.licence) if text)
    for heading, text in (
        ("What it is for", card.about),
        ("What it is not for", card.limits),
        ("Data", told),
    ):
        if text:
            lines += [f"## {heading}", "", _inline(text), ""]
    if scores:
        lines += ["## Scores on test rows", "", "| | model | always the same answer |", "|---|---|---|"]
        lines += [
            f"| {_METRICS.get(name, name)} | {value:.4g} | {_figure(baseline.get(name))} |"
            for name, value in scores.items()
        ]
        lines += [""]
    lines += [
        "## Use",
        "",
        "```python",
        "import minicolumn as mc",
        "",
        f'model = mc.load("hf://{repository}")',
        "```",
        "",
        f"`{file}` is safetensors with its preprocessing as JSON; nothing is run when it is opened.",
        "",
    ]
    return "\n".join(lines)


def _task(model: Model) -> str:
    """Return the hub's name of what a model does."""
    classes = isinstance(model.outputs, ClassOutputs)
    if model.table is None and len(model.input_shape) > 1 and classes:
        return "image-classification"
    return "tabular-classification" if classes else "tabular-regression"


def _scores(found: Any) -> dict[str, float]:
    """Return the finite scores; YAML and JSON have no others."""
    numbers = found.items() if isinstance(found, dict) else ()
    return {
        str(name): float(value)
        for name, value in numbers
        if isinstance(value, int | float) and math.isfinite(value)
    }


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"


def _inline(text: Any) -> str:
    """Return a text as one line that is no heading, list or HTML."""
    line = " ".join(str(text).split()).lstrip("#->*+ ")
    return line.replace("<", "&lt;").replace("|", "\\|")


def _slug(text: str) -> str:
    words = "".join(letter if letter.isalnum() else "-" for letter in text.lower())
    return "-".join(word for word in words.split("-") if word)[:60] or "data"
