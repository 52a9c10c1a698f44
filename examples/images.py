"""Images from IDX files, the format of MNIST: written here from scikit-learn's small digits, read, learnt.

Of MNIST itself: `mc.data.read_idx("train-images-idx3-ubyte.gz")`, uint8 [60000, 28, 28].
"""

import gzip
import tempfile
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

import minicolumn as mc


def write_idx(path: Path, array: np.ndarray) -> None:
    """Write uint8 numbers as a gzipped IDX file."""
    head = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
    path.write_bytes(gzip.compress(head + array.tobytes()))


def main() -> float:
    """Train on 1,400 of the digits; draw one that was held out, and return the accuracy on them."""
    digits = load_digits()
    with tempfile.TemporaryDirectory() as folder:
        images, labels = Path(folder, "images-idx3-ubyte.gz"), Path(folder, "labels-idx1-ubyte.gz")
        write_idx(images, digits.images.astype(np.uint8))
        write_idx(labels, digits.target.astype(np.uint8))
        X, y = mc.data.read_idx(images), mc.data.read_idx(labels)
    print(f"images {X.dtype} {X.shape}, labels {y.dtype} {y.shape}")
    net = mc.nn.Sequential(
        mc.nn.Flatten(), mc.nn.Dense(64, "relu"), mc.nn.Dropout(0.3), mc.nn.Dense(10)
    )  # fmt: skip
    inputs, y = X.astype(np.float32) / 16.0, y.astype(np.int32)
    run = mc.fit(net, inputs[:1400], y[:1400], optimizer=mc.optim.Adam(0.003), epochs=60, batch_size=50)
    for row in X[-1]:
        print("".join(" .:-=+*#%@@"[int(value) * 10 // 16] * 2 for value in row))
    print(f"is a {run.predict(inputs[-1:]).argmax()}")
    accuracy = run.evaluate(inputs[1400:], y[1400:])["accuracy"]
    print(f"held-out accuracy {accuracy:.3f}")
    return accuracy


if __name__ == "__main__":
    main()
