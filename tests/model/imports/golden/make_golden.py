"""Write the golden files of imports by the tools that users have, with rows and what the tools make of them.

    python tests/model/imports/golden/make_golden.py torch keras sklearn tf2onnx

Each name is a group of files; those of a group need its tools: torch with onnxscript and safetensors, Keras 3
with any backend, skl2onnx with onnxruntime, TensorFlow with tf2onnx. The normal tests need none of them.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).parent
ROWS = np.random.default_rng(0).normal(size=(6, 4)).astype(np.float32)


def keep(name: str, tool: str, rows: Any, outputs: Any, **more: Any) -> None:
    """Write rows and what a tool made of them beside a golden file."""
    told = {"tool": tool, "rows": np.asarray(rows).tolist(), "outputs": np.asarray(outputs).tolist(), **more}
    (HERE / f"{name}.json").write_text(json.dumps(told) + "\n")


def without_traces(model: Any) -> Any:
    """Return an ONNX model without the places in source files that PyTorch notes beside nodes."""
    for part in (model, model.graph, *model.graph.node, *model.graph.initializer, *model.graph.value_info,
                 *model.graph.input, *model.graph.output):  # fmt: skip
        part.doc_string = ""
        del part.metadata_props[:]
    return model


# PyTorch: ONNX by both of its exporters, and state dicts ----------------------------------------------------


def make_torch() -> None:
    import torch  # type: ignore[import-not-found]
    from safetensors.torch import save_file  # type: ignore[import-not-found]
    from torch import nn  # type: ignore[import-not-found]

    torch.manual_seed(0)
    tool = f"torch {torch.__version__}"

    class Skip(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.inner, self.last = nn.Linear(4, 5), nn.Linear(5, 5), nn.Linear(5, 2)

        def forward(self, x: Any) -> Any:
            h = torch.relu(self.first(x))
            return self.last(h + torch.tanh(self.inner(h)))

    networks = {
        "torch_relu_norm": nn.Sequential(
            nn.Linear(4, 6), nn.BatchNorm1d(6), nn.ReLU(), nn.Dropout(0.2), nn.Linear(6, 5), nn.LayerNorm(5),
            nn.ELU(), nn.Linear(5, 3), nn.Softmax(dim=1),
        ),
        "torch_fused": nn.Sequential(
            nn.Linear(4, 5), nn.GELU(), nn.Linear(5, 5), nn.SiLU(), nn.Linear(5, 5), nn.Mish(),
            nn.Linear(5, 5), nn.GELU("tanh"), nn.Linear(5, 5), nn.Hardswish(), nn.Linear(5, 2),
        ),
        "torch_many": nn.Sequential(
            nn.Linear(4, 5), nn.LeakyReLU(0.2), nn.Linear(5, 5), nn.PReLU(), nn.Linear(5, 5), nn.SELU(),
            nn.Linear(5, 5), nn.Softplus(), nn.Linear(5, 5), nn.Softsign(), nn.Linear(5, 5), nn.ReLU6(),
            nn.Linear(5, 5), nn.Hardtanh(), nn.Linear(5, 5), nn.Hardsigmoid(), nn.Linear(5, 1, bias=False),
            nn.Sigmoid(),
        ),
        "torch_image": nn.Sequential(
            nn.Flatten(), nn.Linear(4, 3), nn.Tanh(), nn.Linear(3, 2), nn.LogSoftmax(1),
        ),
        "torch_skip": Skip(),
    }  # fmt: skip
    for name, network in networks.items():
        rows = torch.from_numpy(ROWS.reshape(6, 1, 2, 2) if name == "torch_image" else ROWS)
        for _ in range(20):  # so that running statistics are no 0 and 1
            network.train()(rows)
        network.eval()
        outputs = network(rows).detach().numpy()
        for exporter in ("script", "dynamo"):
            place = str(HERE / f"{name}_{exporter}.onnx")
            if exporter == "script":
                torch.onnx.export(
                    network, (rows,), place, opset_version=17, dynamo=False, input_names=["x"],
                    dynamic_axes={"x": {0: "batch"}},
                )  # fmt: skip
            else:
                program = torch.onnx.export(
                    network, (rows,), dynamo=True, verbose=False,
                    dynamic_shapes=({0: torch.export.Dim("batch")},),
                )  # fmt: skip
                Path(place).write_bytes(without_traces(program.model_proto).SerializeToString())
            keep(f"{name}_{exporter}", tool, rows.numpy(), outputs)

    first = networks["torch_relu_norm"][:-1]
    save_file(first.state_dict(), HERE / "torch_sequential.safetensors")
    several = nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 2)).half()
    save_file(
        {f"net.{name}": value for name, value in several.state_dict().items()},
        HERE / "torch_half.safetensors",
    )
    plain = nn.Sequential(
        nn.Linear(4, 6), nn.BatchNorm1d(6), nn.ReLU(), nn.Dropout(0.2), nn.Linear(6, 3)
    ).train()  # fmt: skip
    for _ in range(20):
        plain(torch.from_numpy(ROWS))
    save_file(plain.eval().state_dict(), HERE / "torch_plain.safetensors")
    keep("torch_plain", tool, ROWS, plain(torch.from_numpy(ROWS)).detach().numpy())
    keep("torch_sequential", tool, ROWS, first(torch.from_numpy(ROWS)).detach().numpy())
    keep("torch_half", tool, ROWS, several.float()(torch.from_numpy(ROWS)).detach().numpy())


# Keras 3 ----------------------------------------------------------------------------------------------------


def make_keras() -> None:
    import keras  # type: ignore[import-not-found]
    from keras import layers  # type: ignore[import-not-found]

    keras.utils.set_random_seed(0)
    tool = f"keras {keras.__version__}"
    normal = layers.Normalization()
    normal.adapt(ROWS * 3 + 1)
    inputs = keras.Input((4,))
    hidden = layers.Dense(5, activation="gelu")(inputs)
    functional = keras.Model(
        inputs, layers.Dense(1, activation="sigmoid")(layers.LayerNormalization()(hidden))
    )
    networks = {
        "keras_sequential": keras.Sequential([
            keras.Input((4,)), normal, layers.Dense(6, use_bias=False), layers.BatchNormalization(),
            layers.Activation("relu"), layers.Dropout(0.3), layers.Dense(5, activation="silu"),
            layers.LeakyReLU(negative_slope=0.1), layers.Dense(3, activation="softmax"),
        ]),
        "keras_functional": functional,
        "keras_image": keras.Sequential([
            keras.Input((2, 2)), layers.Rescaling(0.5, offset=-1.0), layers.Flatten(),
            keras.Sequential([layers.Dense(4, activation="tanh"), layers.PReLU()]), layers.ReLU(max_value=6),
            layers.Dense(2),
        ]),
    }  # fmt: skip
    for name, network in networks.items():
        rows = ROWS.reshape(6, 2, 2) if name == "keras_image" else ROWS
        if name == "keras_sequential":
            network.compile("sgd", "sparse_categorical_crossentropy")
            network.fit(rows, np.arange(6) % 3, epochs=3, verbose=0)
        network.save(HERE / f"{name}.keras")
        keep(name, tool, rows, network.predict(rows, verbose=0))
    plain: Any = keras.Sequential([keras.Input((4,)), layers.Dense(5, activation="tanh"), layers.Dense(2)])
    plain.save_weights(HERE / "keras_dense.weights.h5")
    keep("keras_dense", tool, ROWS, plain.predict(ROWS, verbose=0))


# scikit-learn through skl2onnx ------------------------------------------------------------------------------


def make_sklearn() -> None:
    import skl2onnx  # type: ignore[import-not-found]
    from sklearn.neural_network import MLPClassifier, MLPRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    y = ROWS.sum(axis=1)
    tool = f"skl2onnx {skl2onnx.__version__}"
    settings: dict[str, Any] = {
        "hidden_layer_sizes": (5, 4),
        "random_state": 0,
        "max_iter": 20,
        "solver": "lbfgs",
    }
    words = np.array(["low", "mid", "high"])[np.digitize(y, [-1, 1])]
    made = {
        "sklearn_words": make_pipeline(StandardScaler(), MLPClassifier(**settings)).fit(ROWS, words),
        "sklearn_binary": MLPClassifier(activation="tanh", **settings).fit(ROWS, np.where(y > 0, 7, 3)),
        "sklearn_numbers": MLPRegressor(activation="logistic", **settings).fit(ROWS, y),
    }
    for name, estimator in made.items():
        model = skl2onnx.to_onnx(estimator, ROWS[:1])
        (HERE / f"{name}.onnx").write_bytes(model.SerializeToString())
        if name == "sklearn_numbers":
            keep(name, tool, ROWS, estimator.predict(ROWS))
        else:
            labels = estimator.predict(ROWS).tolist()
            keep(name, tool, ROWS, estimator.predict_proba(ROWS), labels=labels)


# Keras through tf2onnx --------------------------------------------------------------------------------------


def make_tf2onnx() -> None:
    import tensorflow as tf  # type: ignore[import-not-found]
    import tf2onnx  # type: ignore[import-not-found]
    from tensorflow import keras  # type: ignore[import-not-found]

    keras.utils.set_random_seed(0)
    network = keras.Sequential([
        keras.Input((4,)), keras.layers.Dense(6, activation="relu"), keras.layers.BatchNormalization(),
        keras.layers.Dense(5, activation="elu"), keras.layers.Dense(5, activation="swish"),
        keras.layers.Dense(3, activation="softmax"),
    ])  # fmt: skip
    network.compile("sgd", "sparse_categorical_crossentropy")
    network.fit(ROWS, np.arange(6) % 3, epochs=3, verbose=0)
    spec = (tf.TensorSpec((None, 4), tf.float32, name="x"),)
    model, _ = tf2onnx.convert.from_function(tf.function(lambda x: network(x)), spec, opset=17)
    (HERE / "tf2onnx_norm.onnx").write_bytes(model.SerializeToString())
    keep("tf2onnx_norm", f"tf2onnx {tf2onnx.__version__}", ROWS, network.predict(ROWS, verbose=0))


if __name__ == "__main__":
    for group in sys.argv[1:]:
        globals()[f"make_{group}"]()
