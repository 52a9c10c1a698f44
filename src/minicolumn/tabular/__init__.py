"""From a table to a trained, calibrated, scored network: the recipe, the plan, and the training of it."""

from minicolumn.tabular.fit import fit_table
from minicolumn.tabular.pipeline import TableRun, train_plan
from minicolumn.tabular.plan import Part, Plan, plan_table
from minicolumn.tabular.settings import TableSettings

__all__ = ["Part", "Plan", "TableRun", "TableSettings", "fit_table", "plan_table", "train_plan"]
