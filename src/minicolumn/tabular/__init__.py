"""Supervised learning on tables: from raw rows to a trained, calibrated and evaluated network.

    TableSettings   what the user said          plan_table    schema, splits, encoder, recipe: a TablePlan
    fit_table       all of it in one call       train_plan    fit, calibrate, score: a TableRun

Source      the default recipe: docs/decisions/004; stages: docs/decisions/018
Differs     scikit-learn leaves imputation, encoding, scaling, splitting and calibration to a pipeline that
            the user writes; AutoGluon and the like search over many models, this trains one network.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from minicolumn.tabular.fit import fit_table
    from minicolumn.tabular.pipeline import TableRun, train_plan
    from minicolumn.tabular.plan import TablePlan, TableSplit, plan_table
    from minicolumn.tabular.settings import TableSettings

# Loaded when they are first asked for: the command line's help needs no more than `limits`.
_LATER = {
    "TableSplit": "plan",
    "TablePlan": "plan",
    "TableRun": "pipeline",
    "TableSettings": "settings",
    "fit_table": "fit",
    "plan_table": "plan",
    "train_plan": "pipeline",
}


def __getattr__(name: str) -> Any:
    """Import a public name on its first use, so that the command line's help loads no network code."""
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_LATER[name]}"), name)


__all__ = ["TablePlan", "TableRun", "TableSettings", "TableSplit", "fit_table", "plan_table", "train_plan"]
