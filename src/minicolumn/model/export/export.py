"""Export of a model: by a table of targets, each of which turns a pipeline into files and can run them.

model -> Pipeline -> files by name -> a folder, written once the export has answered its own test
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from minicolumn.errors import DataError, ModelFileError, did_you_mean, reason
from minicolumn.model.artifact import artifact_from_bytes
from minicolumn.model.container import MAX_FILE_BYTES
from minicolumn.model.export import checks
from minicolumn.model.export.c_source import c_files
from minicolumn.model.export.js_source import js_files
from minicolumn.model.export.numpy_module import numpy_files
from minicolumn.model.export.object_file import object_files
from minicolumn.model.export.onnx_file import onnx_files
from minicolumn.model.export.page import page_files
from minicolumn.model.export.pipeline import Pipeline, identifier
from minicolumn.model.export.sklearn_object import sklearn_files
from minicolumn.model.export.torch_module import torch_files
from minicolumn.model.files import PathLike, read_whole, shown, write_together

if TYPE_CHECKING:
    from minicolumn.model.model import Model

WEIGHTS = ("", "int8")
# A file of such a name would be included or imported in the place of what the export itself needs.
_HEADER_NAMES = """assert complex ctype errno fenv inttypes iso646 limits locale math setjmp signal
    stdalign stdarg stdatomic stdbool stddef stdint stdio stdlib stdnoreturn string tgmath threads time
    uchar wchar wctype"""
_HEADERS = frozenset(_HEADER_NAMES.split())
_MODULES = sys.stdlib_module_names | {"numpy", "torch", "sklearn", "scipy", "safetensors"}
Files = Mapping[str, str | bytes]


@dataclass(frozen=True)
class Target:
    """What a model can be exported to.

    suffix      of a path that asks for it
    taken       names that its files must not have
    any_name    whether its files may be called anything; elsewhere sources name each other and functions
    does        what comes out, in a few words
    files       makes the files of a pipeline, by name
    check       runs them on rows whose answers are known; says by what, or "" where nothing here can
    """

    suffix: str
    does: str
    files: Callable[[Pipeline], Mapping[str, str] | Mapping[str, bytes] | Files]
    check: Callable[[Pipeline, Files], str]
    taken: frozenset[str] = frozenset()
    any_name: bool = False


TARGETS: Mapping[str, Target] = {
    "c": Target(".c", "one header and one source of C99", c_files, checks.by_compiler, _HEADERS),
    "onnx": Target(
        ".onnx", "ONNX, the whole pipeline and the numeric core", onnx_files, checks.by_runtime, any_name=True
    ),
    "js": Target(".mjs", "one ES module of JavaScript", js_files, checks.by_node, any_name=True),
    "numpy": Target(
        ".py", "one module of Python that needs NumPy alone", numpy_files, checks.by_python, _MODULES, True
    ),
    "torch": Target(
        ".py",
        "a state_dict as safetensors, and its module of PyTorch",
        torch_files,
        checks.by_torch,
        _MODULES,
    ),
    "sklearn": Target(
        ".py",
        "a fitted MLP of scikit-learn: its weights, and source",
        sklearn_files,
        checks.by_sklearn,
        _MODULES,
    ),
    "html": Target(
        ".html", "one page with a form, which answers by itself", page_files, checks.by_node, any_name=True
    ),
    "object": Target(
        ".o", "object code for any processor, with a C header", object_files, checks.by_linker, _HEADERS
    ),
}


@dataclass(frozen=True)
class Exported:
    """What was exported.

    paths       of the files
    checked     by what the files were run on rows whose answers are known; "" where nothing here can run them
    rows        how many rows that were
    note        what else is to be known: the error of weights of int8
    """

    paths: tuple[Path, ...]
    checked: str
    rows: int
    note: str = ""

    def __str__(self) -> str:
        listed = ", ".join(shown(path) for path in self.paths)
        note = f"; {self.note}" * bool(self.note)
        if not self.checked:
            return f"{listed} (not run here; its self-test has {self.rows} rows){note}"
        as_what = "as they should be" if self.note else "as by the model"
        return f"{listed} (run by {self.checked}: {self.rows} rows answered {as_what}){note}"


def export(
    model: Model, to: str, out: PathLike | None = None, target: str = "", weights: str = ""
) -> Exported:  # fmt: skip
    """Write a model in another format, preprocessing included, once it has passed its own test.

    to          "c", "onnx", "js", "html", "numpy", "torch", "sklearn" or "object"
    out         a folder, or a file with the format's suffix, whose name the export takes (C, object code and
                modules with weights beside them as an identifier: my-net.c is my_net.c); by default files
                named after the target in the current folder
    target      the processor of "object", as LLVM names it: "aarch64-linux-gnu"; "" is this one
    weights     "int8" stores those of "c" as int8, a quarter of the bytes; "" as they are, float32 mostly
    Errors      DataError: an unknown format, with the nearest name; a part of the model that the format has
                no line for, by its name; a missing package; an export that answers otherwise than the model,
                or would take the place of a model file; of all these nothing is written

    >>> import minicolumn as mc, tempfile
    >>> net = mc.nn.Sequential(mc.nn.Dense(4, "tanh"), mc.nn.Dense(2))
    >>> model = mc.Model(net, net.init(0, (3,)), (3,), "softmax_cross_entropy")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     [path.name for path in model.export("js", f"{folder}/iris.mjs").paths]
    ['iris.mjs']
    """
    if not isinstance(to, str) or to not in TARGETS:
        known = ", ".join(TARGETS)
        raise DataError(
            f"export: unknown format {to!r:.60}{did_you_mean(str(to), TARGETS)}; expected {known}"
        )
    if not isinstance(target, str):
        raise DataError(f"export: target: expected the name of a processor, got {target!r:.60}")
    if target and to != "object":
        raise DataError(f"export: a target is of object code; {to} runs on any processor")
    if weights not in WEIGHTS:
        raise DataError(
            f"export: unknown weights {weights!r:.40}{did_you_mean(str(weights), WEIGHTS)}; expected int8"
        )
    if weights and to != "c":
        raise DataError(f"export: weights of {weights} are of the format c; {to} takes them as they are")
    if weights and model.dtype != np.float32:
        raise DataError(f"export: weights of {weights} are made of float32, this model's are {model.dtype}")
    form = TARGETS[to]
    folder, name, stem = _place(model, form, out)
    pipeline = Pipeline(model, name, target, weights == "int8")
    files = form.files(pipeline)
    paths = {folder / f"{stem}{file.removeprefix(name)}": content for file, content in files.items()}
    for path in paths:
        _keep_models(path)
    try:
        checked = form.check(pipeline, files)
    except OSError as error:
        raise DataError(
            f"export: its self-test cannot be run: {reason(error)}; nothing was written"
        ) from None
    note = str(pipeline.int8_error) if pipeline.int8 else ""
    write_together({path: [text.encode() if isinstance(text, str) else text] for path, text in paths.items()})
    return Exported(tuple(paths), checked, len(pipeline.samples.cells), note)


def _place(model: Model, target: Target, out: PathLike | None) -> tuple[Path, str, str]:
    """Return the folder of an export, its name as an identifier, and what its files are called."""
    usual = _name(model.table.target if model.table else "model", target)
    if out is None:
        return Path(), usual, usual
    path = Path(shown(out)) if isinstance(out, bytes) else Path(out)  # type: ignore[arg-type]
    if path.suffix == target.suffix:
        name = _name(path.stem, target)
        return path.parent, name, path.stem if target.any_name and path.stem not in target.taken else name
    if path.is_dir():
        return path, usual, usual
    raise DataError(
        f"export: {shown(path)} is neither a folder nor a file whose name ends in {target.suffix}"
    )


def _name(text: str, target: Target) -> str:
    """Return an identifier that no file of the language itself is called."""
    name = identifier(text)
    return f"{name}_" if name in target.taken else name


def _keep_models(path: Path) -> None:
    """Refuse to write over a model file: PyTorch's weights end in .safetensors as well."""
    if path.suffix != ".safetensors" or not path.exists():
        return
    try:
        artifact_from_bytes(bytes(read_whole(path, MAX_FILE_BYTES)))
    except ModelFileError:
        return
    raise DataError(f"export: {shown(path)} is a model file, which stays as it is; choose another name")


def told(exported: Exported) -> dict[str, Any]:
    """Return what was exported as JSON values."""
    return {
        "files": [str(path) for path in exported.paths],
        "checked": exported.checked,
        "rows": exported.rows,
        **({"note": exported.note} if exported.note else {}),
    }
