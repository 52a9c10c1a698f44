"""A model as scikit-learn: a fitted MLPClassifier or MLPRegressor, and a file form of it without any pickle.

    to_sklearn(model)       the estimator
    NAME.safetensors        coefs_ and intercepts_: "coefs_.0" [fan_in, units], "intercepts_.0", ...
    NAME.py                 load(), which makes the estimator of them

A network is one of scikit-learn's where it is dense layers of one activation (identity, logistic, tanh,
relu), the last of them linear. Dropout and noise do nothing when predicting, `Standardize` and `Scale` are
multiplied into the layer behind them, and two softmax outputs become one logistic output, of their
difference: the same probabilities.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import numpy as np

from minicolumn.errors import DataError
from minicolumn.model.container import encode
from minicolumn.model.export.numpy_module import module_of, titled
from minicolumn.model.export.pipeline import Pipeline
from minicolumn.model.export.samples import TOLERANCE
from minicolumn.model.model import Model
from minicolumn.nn.activations import activation_by_name
from minicolumn.nn.folding import SILENT, standard_dense
from minicolumn.nn.layer import Layer, Params
from minicolumn.nn.layers.containers import Frozen, Sequential
from minicolumn.nn.layers.dense import Activation, Dense, Flatten, Scale
from minicolumn.nn.layers.norm import Standardize
from minicolumn.nn.outputs import Probabilities

Array = np.ndarray[Any, np.dtype[Any]]
_ACTIVATIONS = {"linear": "identity", "logistic": "logistic", "tanh": "tanh", "relu": "relu"}
_OUTPUTS = {"linear": "identity", "softmax": "softmax", "logistic": "logistic", "exponential": "exp"}


@dataclass(frozen=True, eq=False)
class Perceptron:
    """What is told of a multilayer perceptron to scikit-learn.

    coefs, intercepts   of each layer
    activation          of the hidden layers, as scikit-learn calls it; out_activation: of the outputs
    classes             the labels; None where numbers are predicted
    multilabel          whether a row may have any number of them
    """

    coefs: tuple[Array, ...]
    intercepts: tuple[Array, ...]
    activation: str
    out_activation: str
    classes: Array | None
    multilabel: bool

    @property
    def settings(self) -> dict[str, Any]:
        """What is told beside the weights and the labels."""
        return {name: getattr(self, name) for name in ("activation", "out_activation", "multilabel")}


def to_sklearn(model: Model) -> Any:
    """Return a model as a fitted scikit-learn MLPClassifier or MLPRegressor, its weights the same.

    model       of arrays: dense layers of one activation that scikit-learn has (identity, logistic, tanh,
                relu), the last linear, behind a loss of probabilities, numbers or rates
    Returns     an estimator with ``coefs_``, ``intercepts_``, ``classes_``, ... as `fit` leaves them, whose
                ``predict`` and ``predict_proba`` are the model's; `from_sklearn` makes a model of it again
    Errors      DataError, in one line: a layer or an activation that scikit-learn has not, by its name; a
                model of a table, whose preprocessing it has no part for
    Differs     what `joblib` stores is a pickle. ``model.export("sklearn")`` writes the weights as
                safetensors, and Python source that makes the estimator

    >>> import minicolumn as mc
    >>> net = mc.nn.Sequential(mc.nn.Dense(4, "tanh"), mc.nn.Dropout(0.2), mc.nn.Dense(3))
    >>> model = mc.Model(net, net.init(0, (2,)), (2,), "softmax_cross_entropy")
    >>> theirs, X = to_sklearn(model), np.ones((1, 2), np.float32)
    >>> type(theirs).__name__, theirs.classes_.tolist(), [w.shape for w in theirs.coefs_]
    ('MLPClassifier', [0, 1, 2], [(2, 4), (4, 3)])
    >>> bool(np.allclose(theirs.predict_proba(X), model.predict(X)))
    True
    """
    told = perceptron_of(model)
    try:
        from minicolumn.model.export.sklearn_estimator import estimator
    except ImportError:
        raise DataError("to_sklearn: needs the package scikit-learn; pip install scikit-learn") from None
    return estimator(told.coefs, told.intercepts, **told.settings, classes=told.classes)


def perceptron_of(model: Model) -> Perceptron:
    """Return what scikit-learn would need to know of a model; DataError for what it has not."""
    if not isinstance(model, Model):
        raise DataError(f"to_sklearn: expected a model, got {type(model).__name__}")
    if model.table is not None:
        raise DataError(
            "to_sklearn: this model reads a table, and scikit-learn has no part for its preprocessing; "
            "export to numpy or onnx, which carry it"
        )
    weights, activation = _layers(_parts(model.network, model.params), model.dtype)
    last, classes, multilabel = _outputs(model, weights)
    weights = [*weights[:-1], last]
    out = _OUTPUTS["logistic" if classes is not None and last[0].shape[1] == 1 else _out_activation(model)]
    coefs, intercepts = zip(*weights, strict=True)
    return Perceptron(coefs, intercepts, activation, out, classes, multilabel)


def _parts(layer: Layer, params: Params) -> list[tuple[Layer, Params]]:
    """Return the layers in a row, without those that do nothing when predicting."""
    if isinstance(layer, Frozen):
        return _parts(layer.inner, params)
    if isinstance(layer, Sequential):
        return [part for name, inner in layer.inside for part in _parts(inner, params[name])]
    return [] if isinstance(layer, SILENT) else [(layer, params)]


def _layers(parts: list[tuple[Layer, Params]], dtype: Any) -> tuple[list[tuple[Array, Array]], str]:
    """Return weight and bias of each dense layer, and the activation between them."""
    dense: list[tuple[Array, Array, str]] = []
    factor: Array = np.ones(())  # what the next layer's inputs are first made into: x * factor + shift
    shift: Array = np.zeros(())
    for place, (layer, own) in enumerate(parts):
        if isinstance(layer, Dense):
            _, own = standard_dense(layer, {name: np.asarray(x, np.float64) for name, x in own.items()})
            weight, bias = own["weight"], own.get("bias", np.zeros(own["weight"].shape[1]))
            features = np.broadcast_to(factor, len(weight)), np.broadcast_to(shift, len(weight))
            dense.append(
                (features[0][:, None] * weight, features[1] @ weight + bias, _named(layer.activation))
            )
            factor, shift = np.ones(()), np.zeros(())
        elif isinstance(layer, Standardize):
            mean, deviation = (np.asarray(own[name], np.float64) for name in ("mean", "deviation"))
            factor, shift = factor / deviation, (shift - mean) / deviation
        elif isinstance(layer, Scale):
            factors = 1.0 + layer.rate * np.asarray(own["scale"], np.float64)
            factor, shift = factor * factors, shift * factors
        elif isinstance(layer, Activation) and dense and dense[-1][2] == "linear" and factor.ndim == 0:
            dense[-1] = (*dense[-1][:2], _named(layer.function))
        elif not isinstance(layer, Flatten) or place:
            raise DataError(f"to_sklearn: scikit-learn has no layer for {type(layer).__name__}")
    if not dense or factor.ndim:
        raise DataError("to_sklearn: scikit-learn's networks end in a dense layer, this one does not")
    return [(w.astype(dtype), b.astype(dtype)) for w, b, _ in dense], _hidden([name for *_, name in dense])


def _named(activation: Any) -> str:
    return activation_by_name(activation).name if isinstance(activation, str) else "a function of your own"


def _hidden(names: list[str]) -> str:
    """Return the activation of the hidden layers, as scikit-learn calls it."""
    *hidden, last = names
    if last != "linear":
        raise DataError(f"to_sklearn: scikit-learn's last layer is linear, this one has {last}")
    if odd := [name for name in hidden if name not in _ACTIVATIONS]:
        known = ", ".join(_ACTIVATIONS)
        raise DataError(f"to_sklearn: scikit-learn has no activation {odd[0]}; it has {known}")
    if len(set(hidden)) > 1:
        raise DataError(
            f"to_sklearn: scikit-learn has one activation for all hidden layers, these have "
            f"{' and '.join(dict.fromkeys(hidden))}"
        )
    return _ACTIVATIONS[hidden[0]] if hidden else "identity"


def _out_activation(model: Model) -> str:
    outputs = model.outputs
    name = outputs.activation if outputs else "linear"
    if name not in _OUTPUTS:
        raise DataError(f"to_sklearn: scikit-learn has no outputs with {name}")
    return name


def _outputs(
    model: Model, weights: list[tuple[Array, Array]]
) -> tuple[tuple[Array, Array], Array | None, bool]:  # fmt: skip
    """Return the last weights, the labels, and whether a row may have several."""
    outputs, (weight, bias) = model.outputs, weights[-1]
    if outputs is None or outputs.kind not in ("probabilities", "point", "rate"):
        what = "an own loss" if outputs is None else outputs.kind
        raise DataError(f"to_sklearn: scikit-learn has no network whose outputs are {what}")
    if not isinstance(outputs, Probabilities):
        return (weight, bias), None, False
    units = weight.shape[1]
    several = outputs.link == "logistic" and units > 1
    known = getattr(model, "classes_", None)
    labels = (
        np.arange(max(2, units))
        if known is None and model.classes is None
        else np.asarray(model.classes if known is None else known)
    )
    if len(labels) < 2 or (not several and labels.tolist() != sorted(labels.tolist())):
        raise DataError("to_sklearn: scikit-learn's labels are sorted, and two at least; these are not")
    if outputs.link == "softmax" and units == 2:  # the logistic of the difference of two scores
        weight, bias = weight[:, 1:] - weight[:, :1], bias[1:] - bias[:1]
    return (weight, bias), labels, several


# The file form ----------------------------------------------------------------------------------------------


def sklearn_files(pipeline: Pipeline) -> dict[str, str | bytes]:
    """Return the source and the weights by file name.

    Errors      DataError, naming it, for what scikit-learn has not
    """
    told = perceptron_of(pipeline.model)
    arrays = {f"coefs_.{k}": coef for k, coef in enumerate(told.coefs)}
    arrays |= {f"intercepts_.{k}": intercept for k, intercept in enumerate(told.intercepts)}
    return {
        f"{pipeline.name}.py": _source(pipeline, told),
        f"{pipeline.name}.safetensors": b"".join(encode(arrays, {})),
    }


def _source(pipeline: Pipeline, told: Perceptron) -> str:
    text = files("minicolumn.model.export").joinpath("sklearn_estimator.py").read_text(encoding="utf-8")
    head = text.partition("\n\n")[2].replace("import Any\n", "import Any\n\nfrom pathlib import Path", 1)
    head = head.replace(
        "import numpy as np\n", "import numpy as np\nfrom safetensors.numpy import load_file\n", 1
    )
    needs = "it needs scikit-learn, NumPy and safetensors"
    settings = told.settings | {"classes": None if told.classes is None else told.classes.tolist()}
    listed = "".join(f"    {name!r}: {value!a},\n" for name, value in settings.items())
    settings_text = f"\nSETTINGS = {{\n{listed}}}\n"
    return module_of([ascii(titled(pipeline, needs)), head, settings_text, _LOAD, _self_test(pipeline, told)])


_LOAD = '''
def load(path=Path(__file__).with_suffix(".safetensors")):
    """Return the fitted estimator with the weights of a file."""
    arrays = load_file(path)
    layers = range(len(arrays) // 2)
    coefs = [arrays[f"coefs_.{k}"] for k in layers]
    return estimator(coefs, [arrays[f"intercepts_.{k}"] for k in layers], **SETTINGS)
'''


def _self_test(pipeline: Pipeline, told: Perceptron) -> str:
    samples = pipeline.samples
    rows = ",\n    ".join(map(repr, samples.cells))
    wanted = ",\n    ".join(map(repr, samples.answers.astype(float).tolist()))
    method = "predict" if told.classes is None else "predict_proba"
    return f'''
TEST_ROWS = [
    {rows},
]
TEST_ANSWERS = np.array([
    {wanted},
])


def self_test():
    """Predict rows whose answers are known; return 0, or the number of the first row that is off, from 1."""
    found = load().{method}(np.array(TEST_ROWS)).reshape(len(TEST_ROWS), -1)
    off = np.abs(found - TEST_ANSWERS)
    odd = (~(off <= {TOLERANCE!r} + {TOLERANCE!r} * np.abs(TEST_ANSWERS))).any(axis=1)
    return int(odd.argmax()) + 1 if odd.any() else 0


if __name__ == "__main__":
    raise SystemExit(self_test())
'''
