"""Evaluation metrics and trivial baselines for classification, regression and predictive distributions.

scikit-learn does the arithmetic where it is more than a line. A metric that some rows do not define (ROC AUC
of one class, R2 of a constant) is left out rather than NaN.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from minicolumn.nn.outputs import ClassOutputs, NumberOutputs, Outputs

Array = np.ndarray
# Probabilities are kept this far from 0 before their logarithm is taken, as scikit-learn does in float64.
_TINY = float(np.finfo(np.float64).eps)


@dataclass(frozen=True, slots=True)
class Score:
    """A metric: a function of targets and predictions, and what is known of it.

    function            of (right answers, predictions), for distributions of what the outputs mean before
                        these; None where it is not defined for them
    higher_is_better    None where neither is, as for a coverage
    usual               whether it is told where nothing is said
    of_probabilities    whether it judges probabilities, not margins
    """

    function: Callable[..., float | None]
    higher_is_better: bool | None
    usual: bool = False
    of_probabilities: bool = False


# Classes: codes int [rows], and what speaks for each, probabilities or margins, float [rows, classes] ------


def _accuracy(codes: Array, p: Array) -> float:
    """Return the share of rows whose class of highest score is right."""
    return float(np.mean(np.argmax(p, axis=1) == codes))


def _balanced_accuracy(codes: Array, p: Array) -> float:
    """Return the mean of the recalls of the classes present (Brodersen et al. 2010)."""
    guess = np.argmax(p, axis=1)
    return float(np.mean([np.mean(guess[codes == c] == c) for c in np.unique(codes)]))


def _log_loss(codes: Array, p: Array) -> float:
    """Return the mean of -log p(right class), p clipped at the float64 epsilon."""
    right = np.clip(p[np.arange(len(codes)), codes], _TINY, 1.0)
    return float(-np.mean(np.log(right)))


def _roc_auc(codes: Array, p: Array) -> float | None:
    """Return the area under the ROC curve, of several classes one against the rest."""
    from sklearn.metrics import roc_auc_score

    return _one_against_rest(roc_auc_score, codes, p)


def _average_precision(codes: Array, p: Array) -> float | None:
    """Return the area under the precision-recall curve as a step function, one class against the rest."""
    from sklearn.metrics import average_precision_score

    return _one_against_rest(average_precision_score, codes, p)


def _one_against_rest(score: Callable[..., Any], codes: Array, p: Array) -> float | None:
    """Return the score of class 1 of two, or the macro average over classes present; None for one class."""
    present = np.unique(codes)
    if len(present) < 2:
        return None
    wanted = present[-1:] if p.shape[1] == 2 else present
    return float(np.mean([score(codes == c, p[:, c]) for c in wanted]))


def _f1(codes: Array, p: Array) -> float:
    """Return the F1 score of class 1 of two, or its macro average over the classes present."""
    from sklearn.metrics import f1_score  # its stubs say that zero_division is a text

    guess = np.argmax(p, axis=1)
    wanted = [1] if p.shape[1] == 2 else np.unique(codes)
    return float(f1_score(codes, guess, labels=wanted, average="macro", zero_division=0.0))  # type: ignore[arg-type]


def _mcc(codes: Array, p: Array) -> float | None:
    """Return the Matthews correlation coefficient (Matthews 1975; Gorodkin 2004 for several classes)."""
    from sklearn.metrics import matthews_corrcoef

    return float(matthews_corrcoef(codes, np.argmax(p, axis=1))) if len(np.unique(codes)) > 1 else None


CLASS_SCORES: Mapping[str, Score] = {
    "accuracy": Score(_accuracy, True, usual=True),
    "balanced_accuracy": Score(_balanced_accuracy, True, usual=True),
    "log_loss": Score(_log_loss, False, usual=True, of_probabilities=True),
    "roc_auc": Score(_roc_auc, True, usual=True),
    "f1": Score(_f1, True),
    "mcc": Score(_mcc, True),
    "average_precision": Score(_average_precision, True),
}


# Numbers: float [rows] or [rows, outputs], and predictions of the same shape -------------------------------


def _r2(y: Array, p: Array) -> float | None:
    """Return the mean coefficient of determination of the outputs whose y vary; None where none does."""
    spread = np.sum((y - np.mean(y, axis=0)) ** 2, axis=0)
    varied = spread > 0
    unexplained = np.sum((y - p) ** 2, axis=0)[varied] / spread[varied]
    return 1.0 - float(np.mean(unexplained)) if varied.any() else None


def _rmse(y: Array, p: Array) -> float:
    """Return the root mean squared error, in the unit of y."""
    return float(np.sqrt(np.mean((y - p) ** 2)))


def _mae(y: Array, p: Array) -> float:
    """Return the mean absolute error, in the unit of y."""
    return float(np.mean(np.abs(y - p)))


def _mape(y: Array, p: Array) -> float | None:
    """Return the mean absolute percentage error as a fraction; None where a y is 0."""
    from sklearn.metrics import mean_absolute_percentage_error

    return float(mean_absolute_percentage_error(y.ravel(), p.ravel())) if y.all() else None


def _poisson_deviance(y: Array, p: Array) -> float | None:
    """Return the mean Poisson deviance; None for a y < 0 or a prediction <= 0."""
    from sklearn.metrics import mean_poisson_deviance

    return float(mean_poisson_deviance(y.ravel(), p.ravel())) if (y >= 0).all() and (p > 0).all() else None


def _gamma_deviance(y: Array, p: Array) -> float | None:
    """Return the mean gamma deviance; None for a y or a prediction <= 0."""
    from sklearn.metrics import mean_gamma_deviance

    return float(mean_gamma_deviance(y.ravel(), p.ravel())) if (y > 0).all() and (p > 0).all() else None


NUMBER_SCORES: Mapping[str, Score] = {
    "r2": Score(_r2, True, usual=True),
    "rmse": Score(_rmse, False, usual=True),
    "mae": Score(_mae, False, usual=True),
    "mape": Score(_mape, False),
    "poisson_deviance": Score(_poisson_deviance, False),
    "gamma_deviance": Score(_gamma_deviance, False),
}


# Predictive distributions: the record, numbers float [rows, 1], predictions [rows, outputs] of one each -----


def _pinball(outputs: NumberOutputs, y: Array, p: Array) -> float:
    """Return the mean pinball loss over rows and quantile levels (Koenker & Bassett 1978)."""
    from sklearn.metrics import mean_pinball_loss

    columns = zip(p.T, outputs.quantile_levels, strict=True)
    return float(np.mean([mean_pinball_loss(y[:, 0], column, alpha=level) for column, level in columns]))


def _interval_coverage(outputs: NumberOutputs, y: Array, p: Array) -> float:
    """Return the share of rows within the widest prediction interval."""
    return outputs.widest_band(p).covered(y)


DISTRIBUTION_SCORES: Mapping[str, Score] = {
    "pinball": Score(_pinball, False),
    "interval_coverage": Score(_interval_coverage, None),
}


def distribution_scores(outputs: NumberOutputs) -> dict[str, Score]:
    """Return the metrics of a predictive distribution, of numbers [rows, 1] and predictions [rows, outputs].

    pinball             of quantiles: mean over rows and levels of the pinball loss
    interval_coverage   share of rows within the widest prediction interval that outputs tell, if any
    """
    told = {"pinball": outputs.quantile_levels, "interval_coverage": outputs.interval_level}
    return {
        name: replace(score, function=functools.partial(score.function, outputs))
        for name, score in DISTRIBUTION_SCORES.items()
        if told[name]
    }


def scores_for(outputs: Outputs) -> dict[str, Score]:
    """Return the metrics that predictions of a kind can be judged by, by name."""
    if isinstance(outputs, ClassOutputs):
        return {k: s for k, s in CLASS_SCORES.items() if outputs.are_probabilities or not s.of_probabilities}
    assert isinstance(outputs, NumberOutputs)
    return {**NUMBER_SCORES, **distribution_scores(outputs)}


# Whether higher is better, by name; None where neither is.
HIGHER: Mapping[str, bool | None] = {
    name: score.higher_is_better
    for table in (CLASS_SCORES, NUMBER_SCORES, DISTRIBUTION_SCORES)
    for name, score in table.items()
}
HIGHER_IS_BETTER = frozenset(name for name, higher in HIGHER.items() if higher)
# What is told where nothing is said, by the task of the loss.
SCORES: dict[str, tuple[str, ...]] = {
    task: tuple(name for name, score in table.items() if score.usual)
    for task, table in (
        ("multiclass", CLASS_SCORES),
        ("binary", CLASS_SCORES),
        ("regression", NUMBER_SCORES),
    )
}


def scored(
    table: Mapping[str, Score], names: Iterable[str], pairs: Iterable[tuple[Array, Array]]
) -> dict[str, float]:
    """Return the metrics of some (targets, predictions) by name, each the mean of where it is defined."""
    answers, found = list(pairs), {}
    for name in names:
        values = [value for pair in answers if (value := table[name].function(*pair)) is not None]
        if values:
            found[name] = float(np.mean(values))
    return found


def usual_scores(outputs: Outputs, answers: Array, predicted: Array) -> dict[str, float]:
    """Return the default metrics of predictions of a kind.

    answers     class codes [rows], or numbers
    predicted   what speaks for each class, [rows, classes], or the numbers expected
    """
    usual = [name for name, score in scores_for(outputs).items() if score.usual]
    return scored(scores_for(outputs), usual, [(answers, predicted.astype(np.float64))])


def classification_scores(codes: Array, probabilities: Array) -> dict[str, float]:
    """Return accuracy, balanced accuracy, log loss and ROC AUC of predicted probabilities.

        accuracy            share of rows whose most probable class is right
        balanced_accuracy   mean over the classes present of the share of their rows that is right
        log_loss            mean of -log p(right class)
        roc_auc             chance that a row of a class gets a higher p of it than a row of another class;
                            mean over the classes present where there are more than two

    codes           int [rows], the right classes
    probabilities   float [rows, classes]
    Differs         scikit-learn's roc_auc_score raises where a class is absent; here roc_auc is over those
                    present, and left out where there is one only

    >>> scores = classification_scores(np.array([0, 1, 1]), np.array([[0.9, 0.1], [0.4, 0.6], [0.6, 0.4]]))
    >>> {name: round(value, 3) for name, value in scores.items()}
    {'accuracy': 0.667, 'balanced_accuracy': 0.75, 'log_loss': 0.511, 'roc_auc': 1.0}
    """
    pair = np.asarray(codes), np.asarray(probabilities, np.float64)
    return scored(CLASS_SCORES, SCORES["multiclass"], [pair])


def regression_scores(y: Array, predicted: Array) -> dict[str, float]:
    """Return R2, root mean squared error and mean absolute error, the errors in the target's unit.

        r2 = 1 - sum (y - p)^2 / sum (y - mean y)^2     rmse = sqrt(mean (y - p)^2)     mae = mean |y - p|

    y           [rows] or [rows, outputs]
    predicted   the same shape
    Differs     scikit-learn's r2_score is 0 or 1 for a constant y; here r2 is the mean over the outputs
                whose y vary, and left out where there is none

    >>> regression_scores(np.array([1.0, 3.0]), np.array([1.0, 2.0]))
    {'r2': 0.5, 'rmse': 0.7071067811865476, 'mae': 0.5}
    """
    pair = np.asarray(y, np.float64), np.asarray(predicted, np.float64)
    return scored(NUMBER_SCORES, SCORES["regression"], [pair])


def majority_baseline(train_codes: Array, test_codes: Array, classes: int) -> dict[str, float]:
    """Return the scores of the constant prediction of the training rows' class shares.

    train_codes, test_codes     int [rows]; classes: how many there are
    Differs     as scikit-learn's DummyClassifier(strategy="prior")
    """
    shares = np.bincount(train_codes, minlength=classes) / max(len(train_codes), 1)
    return classification_scores(test_codes, np.broadcast_to(shares, (len(test_codes), classes)))


def mean_baseline(train_y: Array, test_y: Array) -> dict[str, float]:
    """Return the scores of the constant prediction of the training rows' mean.

    train_y, test_y     float [rows], in the target's unit
    Differs     as scikit-learn's DummyRegressor(strategy="mean")

    >>> mean_baseline(np.array([1.0, 3.0]), np.array([0.0, 4.0]))["rmse"]
    2.0
    """
    return regression_scores(test_y, np.full(len(test_y), np.mean(np.asarray(train_y, np.float64))))


def confusion(codes: Array, guess: Array, classes: int) -> Any:
    """Return the confusion matrix, int64 [classes, classes]: true classes in rows, predicted in columns.

    >>> confusion(np.array([0, 1, 1]), np.array([0, 1, 0]), 2).tolist()
    [[1, 0], [1, 1]]
    """
    flat = np.asarray(codes, np.int64) * classes + np.asarray(guess, np.int64)
    return np.bincount(flat, minlength=classes * classes).reshape(classes, classes)
