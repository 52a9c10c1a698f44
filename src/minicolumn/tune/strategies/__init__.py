"""Search strategies behind one protocol: which candidate is tried next."""

from minicolumn.tune.strategies.catalogue import STRATEGIES, strategy_by_name
from minicolumn.tune.strategies.strategy import Ground, Strategy

__all__ = ["STRATEGIES", "Ground", "Strategy", "strategy_by_name"]
