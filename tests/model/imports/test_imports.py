"""Networks of other libraries' files: equal predictions, labels, and what is said of bad files."""

from __future__ import annotations

import io
import itertools
import json
import os
import struct
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import mutants
import numpy as np
import pytest
from mutants import GOLDEN, OPTIONS, golden, name_of

import minicolumn as mc
from minicolumn.errors import DataError, ModelFileError
from minicolumn.model import ClassifierModel
from minicolumn.model.imports import import_file
from minicolumn.model.imports.hdf5 import read_arrays
from minicolumn.model.imports.terms import X, activation_of, call, product, total

# Sums in another order: some units in the last place of float32 a layer, of numbers up to about 5.
CLOSE: dict[str, Any] = {"rtol": 1e-5, "atol": 2e-6}


def told(path: Path) -> dict[str, Any]:
    return json.loads((GOLDEN / f"{name_of(path)}.json").read_text())


def imported(path: Path) -> mc.Model:
    return import_file(path, **OPTIONS.get(name_of(path), {}))


def outputs(model: mc.Model, rows: np.ndarray) -> np.ndarray:
    return model.predict_proba(rows) if isinstance(model, ClassifierModel) else model.predict(rows)


@pytest.mark.parametrize("path", golden(), ids=lambda path: path.name)
def test_predictions_are_those_of_the_tool_that_wrote_the_file(path: Path, tmp_path: Path) -> None:
    model, answer = imported(path), told(path)
    rows, expected = np.array(answer["rows"], np.float32), np.array(answer["outputs"])
    found = outputs(model, rows)
    np.testing.assert_allclose(found.reshape(expected.shape), expected, **CLOSE)
    if "labels" in answer:
        assert isinstance(model, ClassifierModel)
        assert model.predict(rows).tolist() == answer["labels"]
    model.save(tmp_path / "it.safetensors")
    again = mc.load(tmp_path / "it.safetensors")
    assert type(again) is type(model)
    np.testing.assert_array_equal(outputs(again, rows), found)


def test_an_imported_network_can_be_trained_on() -> None:
    model = mc.from_onnx(GOLDEN / "torch_relu_norm_script.onnx")
    X, y = np.random.default_rng(0).normal(size=(64, 4)).astype(np.float32), np.arange(64) % 3
    run = mc.fit(model.network, X, y, params=model.params, epochs=3, optimizer=mc.optim.Adam(0.01))
    assert run.history["loss"][-1] < run.history["loss"][0]


def test_activations_are_recognized_and_merged() -> None:
    assert mc.from_onnx(GOLDEN / "torch_fused_script.onnx").network == mc.nn.Sequential(
        *(mc.nn.Dense(5, name) for name in ("gelu", "silu", "mish", "gelu_tanh", "hard_silu")), mc.nn.Dense(2)
    )
    skip = mc.from_onnx(GOLDEN / "torch_skip_script.onnx").network
    inner = mc.nn.Residual(mc.nn.Sequential(mc.nn.Dense(5, "tanh")))
    assert skip == mc.nn.Sequential(mc.nn.Dense(5, "relu"), inner, mc.nn.Dense(2))


def test_a_form_is_known_in_any_order_and_no_other_is() -> None:
    half = product(total(call("erf", product(X, 0.70710677)), 1.0), 0.5)
    assert activation_of(product(half, X)) == "gelu"
    assert activation_of(product(half, X, X)) is None
    assert activation_of(product(call("logistic", product(1.7, X)), X)) is None


def test_a_loss_gives_raw_scores_their_meaning() -> None:
    path = GOLDEN / "torch_plain.safetensors"
    raw = mc.from_torch(path, activation="relu")
    model = mc.from_torch(path, activation="relu", loss="softmax_cross_entropy")
    rows = np.array(told(path)["rows"], np.float32)
    scores = np.exp(raw.predict(rows))
    np.testing.assert_allclose(model.predict(rows), scores / scores.sum(axis=1, keepdims=True), rtol=1e-5)
    shares = mc.from_onnx(GOLDEN / "torch_image_script.onnx", loss="softmax_cross_entropy")
    images = np.array(told(GOLDEN / "torch_image_script.onnx")["rows"], np.float32)
    np.testing.assert_allclose(shares.predict(images).sum(axis=1), 1.0, rtol=1e-6)


# ONNX by hand -----------------------------------------------------------------------------------------------


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def part(number: int, value: bytes | str | int) -> bytes:
    """Return a field of a protobuf message."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def tensor(name: str, array: Any, *more: bytes) -> bytes:
    array = np.asarray(array, "<f4")
    return (
        b"".join(part(1, n) for n in array.shape)
        + part(2, 1)
        + part(8, name)
        + part(9, array.tobytes())
        + b"".join(more)
    )


def node(op: str, inputs: str, output: str, *more: bytes) -> bytes:
    reads = b"".join(part(1, name) for name in inputs.split())
    return reads + part(2, output) + part(3, f"node_{output}") + part(4, op) + b"".join(more)


def graph(*parts: bytes) -> bytes:
    shape = part(1, part(2, "n")) + part(1, part(1, 2))
    port = part(1, "x") + part(2, part(1, part(1, 1) + part(2, shape)))
    inner = b"".join(parts) + part(11, port) + part(12, part(1, "y"))
    return part(1, 8) + part(7, inner) + part(8, part(1, "") + part(2, 17))


RELU = {"activation": "relu"}
W = part(5, tensor("w", [[1.0, 2.0], [3.0, 4.0]]))


MULTIPLIED = part(1, node("MatMul", "x w", "h"))


def refusal(folder: Path, data: bytes, name: str = "m.onnx", **options: Any) -> str:
    (folder / name).write_bytes(data)
    with pytest.raises(ModelFileError) as caught:
        import_file(folder / name, **options)
    said = str(caught.value)
    assert said.startswith(f"{folder / name} ")
    assert "\n" not in said
    return said.removeprefix(f"{folder / name} ")


def test_a_graph_by_hand(tmp_path: Path) -> None:
    (tmp_path / "m.onnx").write_bytes(
        graph(W, part(1, node("MatMul", "x w", "h")), part(1, node("Relu", "h", "y")))
    )
    model = import_file(tmp_path / "m.onnx")
    assert model.predict([[1.0, -1.0], [0.5, 0.5]]).tolist() == [[0.0, 0.0], [2.0, 3.0]]


def test_all_operators_that_no_layer_computes_are_named_with_their_nodes(tmp_path: Path) -> None:
    conv = part(1, node("Conv", "x w", "h")), part(1, node("LSTM", "h", "y", part(7, "own.ops")))
    assert refusal(tmp_path, graph(W, *conv)) == (
        "has operators that no layer here computes: Conv (node_h), own.ops.LSTM (node_y)"
    )


def test_nodes_that_the_output_does_not_need_may_be_anything(tmp_path: Path) -> None:
    beside = part(1, node("Conv", "x w", "other"))
    (tmp_path / "m.onnx").write_bytes(graph(W, beside, part(1, node("MatMul", "x w", "y"))))
    assert import_file(tmp_path / "m.onnx").network == mc.nn.Sequential(mc.nn.Dense(2, bias=False))


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        (
            [part(5, tensor("w", [[1.0]], part(13, part(1, "location") + part(2, "../../etc/passwd"))))],
            "keeps the constant 'w' in another file, which is not opened; save the model as one file",
        ),
        (
            [W, MULTIPLIED, part(1, node("MatMul", "h z", "y"))],
            "reads a value before it is made, in MatMul (node_y)",
        ),
        (
            [W, MULTIPLIED, part(1, node("MatMul", "h w", "b")), part(1, node("Mul", "h b", "y"))],
            "joins two branches of the network, for which there is no layer, in Mul (node_y)",
        ),
        (
            [part(5, tensor("w", [[1.0], [2.0], [3.0]])), part(1, node("MatMul", "x w", "y"))],
            "has layers that do not fit: Dense with weight of shape [3, 1], expected [2, 1], "
            "in MatMul (node_y)",
        ),
        ([W, part(1, node("Exp", "w", "y"))], "has 0 inputs (none); expected one, of rows of numbers"),
        (
            [part(5, tensor("w", [[np.nan], [1.0]])), part(1, node("MatMul", "x w", "y"))],
            "has weights that are not finite (NaN, infinity, or beyond the range of float32)",
        ),
        (
            [W, part(1, node("If", "x", "y", part(5, part(1, "then_branch") + part(6, b""))))],
            "has a graph as the attribute 'then_branch', which is not read",
        ),
        (
            [W, part(1, node("Clip", "x", "y", part(5, part(1, "max") + b"\x15" + struct.pack("<f", 5.0))))],
            "clips to [nan, 5]; known are [0, 6], [-1, 1] and [0, any], in Clip (node_y)",
        ),
        ([W, part(1, node("Erf", "x", "y"))], "has a function erf that is part of no activation here"),
    ],
)  # fmt: skip
def test_what_a_graph_cannot_be(tmp_path: Path, parts: list[bytes], said: str) -> None:
    assert refusal(tmp_path, graph(*parts)) == said


# PyTorch ----------------------------------------------------------------------------------------------------


def torch_file(**arrays: Any) -> bytes:
    """Return a safetensors file as others write it; two underscores in a name stand for a dot."""
    header, data = {}, b""
    for name, value in arrays.items():
        raw = np.asarray(value, "<f4")
        place = [len(data), len(data) + raw.nbytes]
        header[name.replace("__", ".")] = {"dtype": "F32", "shape": list(raw.shape), "data_offsets": place}
        data += raw.tobytes()
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


def test_modules_with_names_are_put_in_the_one_order_that_fits(tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    path.write_bytes(torch_file(head__weight=np.ones((1, 3)), body__weight=np.ones((3, 2))))
    model = mc.from_torch(path, activation="tanh")
    assert model.network == mc.nn.Sequential(mc.nn.Dense(3, "tanh", bias=False), mc.nn.Dense(1, bias=False))
    linear = mc.from_torch(path, layers=["body", "head"])
    assert linear.predict([[1.0, 2.0]]).tolist() == [9.0]


@pytest.mark.parametrize(
    ("arrays", "options", "said"),
    [
        ({"a__weight": (2, 2), "b__weight": (2, 2)}, RELU, "has modules that fit in more than one order"),
        ({"a__weight": (2, 2), "b__weight": (3, 5)}, RELU, "has modules that fit in no order"),
        ({"0__weight": (2, 2), "2__weight": (2, 2)}, {}, "does not say which activations the network has"),
        ({"0__weight": (2, 2, 3)}, {}, "has a module '0' that is no layer here: weight [2, 2, 3]"),
        ({"0__weight": (2, 2), "1__weight": (2, 2)}, {"layers": ["0"]}, "has the module '1', which"),
    ],
)  # fmt: skip
def test_what_a_state_dict_does_not_say(tmp_path: Path, arrays: Any, options: Any, said: str) -> None:
    data = torch_file(**{name: np.ones(shape) for name, shape in arrays.items()})
    assert refusal(tmp_path, data, "m.safetensors", **options).startswith(said)


def test_a_pickle_is_not_opened(tmp_path: Path) -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("archive/data.pkl", b"\x80\x02cbuiltins\nprint\nX\x03\x00\x00\x00ran\x85R.")
    assert refusal(tmp_path, stream.getvalue(), "m.pt") == (
        "is a PyTorch checkpoint; imported are ONNX, PyTorch as safetensors, and Keras 3 (.keras, "
        ".weights.h5)"
    )
    with pytest.raises(ModelFileError, match=r"write it anew with safetensors\.torch\.save_file"):
        mc.from_torch(tmp_path / "m.pt")


def test_tensors_that_hide_something_are_refused(tmp_path: Path) -> None:
    good = torch_file(**{"0__weight": np.ones((1, 2))})
    assert refusal(tmp_path, good + b"\0" * 4, "m.safetensors").startswith("is damaged: it holds 12 bytes")
    twice = good[8:].replace(b"}}", b'}, "0.weight": {}}', 1)
    length = twice.index(b"}}") + 2
    assert "twice" in refusal(tmp_path, length.to_bytes(8, "little") + twice, "m.safetensors")


def test_what_the_user_says_is_checked_first(tmp_path: Path) -> None:
    said: list[dict[str, Any]] = [
        {"activation": "rellu"},
        {"layers": ["0", "rellu"]},
        {"loss": "squared_eror"},
    ]
    for options in said:
        (tmp_path / "m.safetensors").write_bytes(torch_file(**{"0__weight": np.ones((1, 2))}))
        with pytest.raises(DataError, match=r"did you mean|no module"):
            mc.from_torch(tmp_path / "m.safetensors", **options)
    with pytest.raises(DataError, match="activation is not for"):
        import_file(GOLDEN / "sklearn_words.onnx", activation="relu")


# Keras ------------------------------------------------------------------------------------------------------


def keras_file(change: Any, name: str = "keras_sequential") -> bytes:
    """Return a golden Keras file with its config changed."""
    with zipfile.ZipFile(GOLDEN / f"{name}.keras") as archive:
        members = {member: archive.read(member) for member in archive.namelist()}
    config = json.loads(members["config.json"])
    change(config)
    members["config.json"] = json.dumps(config).encode()
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for member, content in members.items():
            archive.writestr(member, content)
    return stream.getvalue()


def test_layers_that_are_not_known_are_all_named_and_none_is_made(tmp_path: Path) -> None:
    def change(config: Any) -> None:
        layers = config["config"]["layers"]
        layers[2] = {
            "module": "keras.layers",
            "class_name": "Lambda",
            "config": {"name": "evil"},
            "registered_name": None,
        }
        layers[3] = {
            "module": "os",
            "class_name": "system",
            "config": {"name": "id"},
            "registered_name": None,
        }

    assert refusal(tmp_path, keras_file(change), "m.keras") == (
        "has layers that are not known here: Lambda (evil), os.system (id)"
    )


def test_an_activation_of_ones_own_is_refused(tmp_path: Path) -> None:
    def change(config: Any) -> None:
        config["config"]["layers"][-1]["config"]["activation"] = {"class_name": "function", "config": "own"}

    assert refusal(tmp_path, keras_file(change), "m.keras").startswith("has the activation")


def test_branches_of_a_functional_model_are_refused(tmp_path: Path) -> None:
    def change(config: Any) -> None:
        layers = config["config"]["layers"]
        layers[2]["inbound_nodes"] = layers[1]["inbound_nodes"]

    assert "has branches" in refusal(tmp_path, keras_file(change, "keras_functional"), "m.keras")


def test_weights_alone_need_their_activation() -> None:
    path = GOLDEN / "keras_dense.weights.h5"
    with pytest.raises(ModelFileError, match=r'say activation="relu"'):
        mc.from_keras(path)


def test_the_arrays_of_an_hdf5_file() -> None:
    found = read_arrays((GOLDEN / "keras_dense.weights.h5").read_bytes())
    assert {name: array.shape for name, array in found.items()} == {
        "layers/dense/vars/0": (4, 5), "layers/dense/vars/1": (5,),
        "layers/dense_1/vars/0": (5, 2), "layers/dense_1/vars/1": (2,),
    }  # fmt: skip


# scikit-learn -----------------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore:.*failed to converge")
@pytest.mark.parametrize("activation", ["identity", "logistic", "tanh", "relu"])
@pytest.mark.parametrize("scaler", [None, "StandardScaler", "MinMaxScaler", "MaxAbsScaler", "RobustScaler"])
def test_fitted_estimators_of_sklearn(activation: str, scaler: str | None) -> None:
    from sklearn import preprocessing
    from sklearn.neural_network import MLPClassifier, MLPRegressor
    from sklearn.pipeline import make_pipeline

    dice = np.random.default_rng(1)
    rows = dice.normal(size=(40, 3)) * [1.0, 10.0, 0.1] + [0.0, 5.0, 1.0]
    settings: dict[str, Any] = {"activation": activation, "solver": "lbfgs", "max_iter": 5, "random_state": 0}
    front = [] if scaler is None else [getattr(preprocessing, scaler)()]
    targets = {
        "words": np.array(["a", "b", "c"])[np.digitize(rows[:, 0], [-0.5, 0.5])],
        "two": rows[:, 0] > 0,
        "several": (rows > [0.0, 5.0, 1.0]).astype(int),
    }
    for y in targets.values():
        theirs = make_pipeline(*front, MLPClassifier((5,), **settings)).fit(rows, y)
        ours = mc.from_sklearn(theirs)
        assert isinstance(ours, ClassifierModel)
        # Both compute in float64; sums may be in another order.
        np.testing.assert_allclose(
            ours.predict_proba(rows), theirs.predict_proba(rows), rtol=1e-9, atol=1e-12
        )
        np.testing.assert_array_equal(ours.predict(rows), theirs.predict(rows))
        np.testing.assert_array_equal(ours.classes_, theirs.classes_)
    theirs = make_pipeline(*front, MLPRegressor(hidden_layer_sizes=(5, 4), **settings)).fit(
        rows, rows[:, 0] * 3
    )
    np.testing.assert_allclose(
        mc.from_sklearn(theirs).predict(rows), theirs.predict(rows), rtol=1e-9, atol=1e-12
    )


def test_estimators_that_cannot_come_along() -> None:
    from sklearn.linear_model import LinearRegression
    from sklearn.neural_network import MLPRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import PolynomialFeatures

    with pytest.raises(DataError, match="LinearRegression is none of MLPClassifier"):
        mc.from_sklearn(LinearRegression())
    with pytest.raises(DataError, match="not fitted; call fit first"):
        mc.from_sklearn(MLPRegressor())
    rows = np.random.default_rng(0).normal(size=(20, 2))
    pipeline = make_pipeline(PolynomialFeatures(), MLPRegressor(hidden_layer_sizes=(2,), solver="lbfgs"))
    with pytest.raises(DataError, match="has a PolynomialFeatures in its Pipeline"):
        mc.from_sklearn(pipeline.fit(rows, rows[:, 0]))


# Damage -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", golden(), ids=lambda path: path.name)
def test_a_damaged_file_is_a_model_or_one_line(path: Path, tmp_path: Path) -> None:
    # long_fuzz.py makes 10,000 of each.
    options, place = OPTIONS.get(name_of(path), {}), tmp_path / f"m{''.join(path.suffixes)}"
    for data in itertools.islice(mutants.mutants(path, 1), 40):
        place.write_bytes(data)
        said = ""
        try:
            import_file(place, **options)
        except ModelFileError as error:
            said = str(error)
        assert said.isprintable()


@pytest.mark.parametrize("name", ["sklearn_words.onnx", "torch_half.safetensors", "keras_dense.weights.h5"])
def test_a_file_that_is_cut_off_is_one_line(name: str, tmp_path: Path) -> None:
    data, place = (GOLDEN / name).read_bytes(), tmp_path / name
    for end in range(0, len(data) - 1, max(1, len(data) // 97)):
        place.write_bytes(data[:end])
        with pytest.raises(ModelFileError):
            import_file(place, **OPTIONS.get(name_of(place), {}))


@pytest.mark.slow
def test_mutants_take_no_memory_and_open_nothing() -> None:
    script = Path(__file__).parent / "long_fuzz.py"
    where = {**os.environ, "PYTHONPATH": str(Path(mc.__file__).parents[1])}
    command = [sys.executable, str(script), "--mutants", "20", "--seed", "7"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, env=where)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1].startswith("0 wrong; ")


def test_a_file_of_another_kind_is_named(tmp_path: Path) -> None:
    tensors, own, text = tmp_path / "t.safetensors", tmp_path / "own.safetensors", tmp_path / "note.txt"
    tensors.write_bytes(torch_file(**{"0__weight": np.ones((2, 3))}))
    net = mc.nn.Dense(2)
    mc.Model(net, net.init(0, (3,)), (3,), "squared_error").save(own)
    text.write_text("words")
    for read, path, said in (
        (mc.from_onnx, tensors, "is a safetensors file, not an ONNX network"),
        (mc.from_keras, tensors, "is a safetensors file, not a Keras model"),
        (mc.from_torch, text, "is a text file, not a state_dict as safetensors"),
        (mc.from_torch, own, "is a minicolumn model already: mc.load opens it"),
    ):
        with pytest.raises(ModelFileError, match=said):
            read(path)
