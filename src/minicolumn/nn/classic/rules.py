"""Learning rules from before backpropagation, each a pure function of the weights and a row or a batch.

They change weights in `mc.nn.Dense`'s layout, [fan_in, units], and can be traced.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray


def hebb_rule(weight: Array, x: Array, y: Array, learning_rate: float = 1.0) -> Array:
    """Strengthen what fires together.

        W += learning_rate * x' y

    weight      [fan_in, units]
    x           what comes in, [batch, fan_in]
    y           what the units do, [batch, units]
    Returns     the new weight
    Source      Hebb 1949, "The Organization of Behavior", put as a product
    Differs     from the rules below: nothing compares with a target, so nothing stops the growth

    >>> hebb_rule(np.zeros((2, 1)), np.array([[1.0, 0.0]]), np.array([[1.0]]))
    array([[1.],
           [0.]])
    """
    return weight + learning_rate * (x.T @ y)


def perceptron_rule(
    weight: Array, bias: Array, x: Array, sign: Array, learning_rate: Any = 1.0
) -> tuple[Array, Array]:
    """Correct every unit that is wrong on one row; leave those that are right alone.

        z = x W + b        where sign * z <= 0:   W += learning_rate * x' sign     b += learning_rate * sign

    weight          [fan_in, units]
    bias            [units]
    x               one row, [fan_in]
    sign            what each unit should say, +1 or -1, [units]
    learning_rate   a number, or one for each unit, [units]
    Returns         the new weight and bias
    Source          Rosenblatt 1958, "The perceptron: a probabilistic model for information storage"
    Differs         a sum of exactly 0 counts as wrong for both signs, as in Novikoff's proof and in
                    scikit-learn; textbooks with `step` and targets 0 and 1 count it as +1

    >>> weight, bias = perceptron_rule(np.zeros((2, 1)), np.zeros(1), np.array([1.0, 2.0]), np.array([-1.0]))
    >>> print(weight.ravel(), bias)
    [-1. -2.] [-1.]
    """
    change = correction(x @ weight + bias, sign, learning_rate)
    return weight + np.outer(x, change), bias + change


def correction(scores: Array, sign: Array, learning_rate: Any) -> Array:
    """Return what the perceptron rule adds to each unit's bias: 0 where the unit is right, [units]."""
    return np.where(sign * scores <= 0, learning_rate * sign, 0.0)


def delta_rule(
    weight: Array, bias: Array, x: Array, target: Array, learning_rate: float = 0.1
) -> tuple[Array, Array]:
    """Move each sum towards its target, in proportion to how far it is off: ADALINE.

        e = t - (x W + b)        W += learning_rate * x' e / batch        b += learning_rate * mean of e

    weight          [fan_in, units]
    bias            [units]
    x               [batch, fan_in]
    target          [batch, units]
    Returns         the new weight and bias
    Source          Widrow & Hoff 1960, "Adaptive switching circuits"
    Differs         from the perceptron rule: the error is that of the sum, before the threshold, so this is
                    gradient descent on half the squared error, and goes on when all answers are right

    >>> weight, bias = delta_rule(np.zeros((1, 1)), np.zeros(1), np.array([[2.0]]), np.array([[1.0]]))
    >>> print(weight.ravel(), bias)
    [0.2] [0.1]
    """
    error = target - (x @ weight + bias)
    batch = x.shape[0]
    return (
        weight + learning_rate * (x.T @ error) / batch,
        bias + learning_rate * np.sum(error, axis=0) / batch,
    )
