"""Where neural networks began: the neuron of 1943, the threshold unit, the perceptron, ADALINE.

All are plain functions and frozen records. Their units fire or do not, and that is why they have learning
rules of their own: `STEP_HAS_NO_SLOPE` says it in a sentence.
"""

from minicolumn.nn.classic.circuit import Circuit, circuit_of_table, half_adder
from minicolumn.nn.classic.learn import PerceptronRun, train_perceptron
from minicolumn.nn.classic.neuron import Neuron, and_neuron, not_neuron, or_neuron
from minicolumn.nn.classic.rules import delta_rule, hebb_rule, perceptron_rule
from minicolumn.nn.classic.separable import (
    Separation,
    find_separator,
    largest_margin,
    name_of_table,
    separation,
)
from minicolumn.nn.classic.table import TruthTable, all_rows, truth_table
from minicolumn.nn.classic.threshold import LTU, STEP_HAS_NO_SLOPE

__all__ = [
    "LTU",
    "STEP_HAS_NO_SLOPE",
    "Circuit",
    "Neuron",
    "PerceptronRun",
    "Separation",
    "TruthTable",
    "all_rows",
    "and_neuron",
    "circuit_of_table",
    "delta_rule",
    "find_separator",
    "half_adder",
    "hebb_rule",
    "largest_margin",
    "name_of_table",
    "not_neuron",
    "or_neuron",
    "perceptron_rule",
    "separation",
    "train_perceptron",
    "truth_table",
]
