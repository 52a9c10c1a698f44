"""Imports: networks from the files and objects of other libraries, as a `Model`; no code of theirs is run.

    from_onnx      a multilayer perceptron in an ONNX file
    from_torch     a PyTorch `state_dict` as safetensors
    from_keras     a Keras 3 file, .keras or .weights.h5
    from_sklearn   a fitted MLPClassifier or MLPRegressor, also behind scalers in a Pipeline
    import_file    whichever of the files it is

Files are read by small strict readers of our own (`protobuf`, `hdf5`, `foreign_tensors`), so nothing else
need be installed. Each importer appends to a `Chain`, which knows our layers and makes the model.

Errors      ModelFileError, in one line, for whatever cannot be read or has no layer here
"""

from minicolumn.model.imports.files import import_file
from minicolumn.model.imports.keras_file import from_keras
from minicolumn.model.imports.onnx_file import from_onnx
from minicolumn.model.imports.sklearn_objects import from_sklearn
from minicolumn.model.imports.torch_state import from_torch

__all__ = ["from_keras", "from_onnx", "from_sklearn", "from_torch", "import_file"]
