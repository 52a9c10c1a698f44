"""Topology search: hyperparameter optimization of a table's network, with an error bar and a winner.

    Space       what there is to choose among      Candidate   one point of it
    Trial       what became of a candidate         Study       all trials, and the winner

The module itself can be called: `mc.tune(X, y, ...)` is the search.
"""

from __future__ import annotations
