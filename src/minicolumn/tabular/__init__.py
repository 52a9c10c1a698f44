"""From a table to a trained, calibrated, scored network: the recipe, the plan, and the training of it."""

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
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_LATER[name]}"), name)


__all__ = ["TablePlan", "TableRun", "TableSettings", "TableSplit", "fit_table", "plan_table", "train_plan"]
