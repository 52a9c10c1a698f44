"""`minicolumn export`: a trained model in the languages and formats of others.

What the work needs is imported when the work begins, so that ``--help`` stays quick.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from minicolumn.address_space import check_room_for_tables
from minicolumn.cli.declared import CommandOptions, Option, as_command
from minicolumn.errors import DataError

MODEL, OUTPUT = "The model and its new form", "What comes out"


@dataclass(frozen=True, kw_only=True)
class ExportOptions(CommandOptions):
    """The options of `minicolumn export`, as they were written."""

    GROUPS: ClassVar = (MODEL, OUTPUT)

    model: Annotated[str, Option(MODEL, "MODEL", help="A model file.")]
    to: Annotated[
        str | None, Option(MODEL, "FORMAT", help="c, onnx, js, html, numpy, torch, sklearn or object.")
    ] = None
    out: Annotated[
        str | None,
        Option(OUTPUT, "PATH", "named after the target", "A folder, or a file with the format's suffix."),
    ] = None
    target: Annotated[
        str,
        Option(OUTPUT, "TRIPLE", "this processor", "The processor of object code: aarch64-linux-gnu, say."),
    ] = ""
    weights: Annotated[
        str, Option(OUTPUT, "KIND", "as they are", "int8: the weights of c in a quarter of the bytes.")
    ] = ""
    as_json: Annotated[
        bool, Option(OUTPUT, help="One JSON line on stdout; words go to stderr.", flags=("--json",))
    ] = False
    quiet: Annotated[bool, Option(OUTPUT, help="Say nothing but errors.", flags=("--quiet", "-q"))] = False


def export(options: ExportOptions) -> int:
    """Write a trained model in another language or format, its preprocessing included.

    Formats
      c       one header and one source of C99: no allocation, no dependency but libm
      onnx    the whole pipeline, an input a column, and the numeric core; needs the extra onnx
      js      one ES module, for a browser or Node.js
      html    one page with a form made from the columns, which answers without any server
      numpy   one module of Python that needs NumPy alone
      torch   a state_dict as safetensors, and the module of PyTorch that it is of
      sklearn a fitted MLPClassifier or MLPRegressor: its weights as safetensors, and source
      object  object code and a C header: aarch64-linux-gnu, riscv64-linux-gnu, thumbv7em-none-eabi,
              wasm32-unknown-unknown, x86_64-linux-gnu; reading text is left to the caller

    Each carries rows whose answers are known, and is run on them before it is written, where this
    machine has a C compiler, Node.js, ONNX Runtime, PyTorch or scikit-learn; otherwise that is said.

    Examples
      minicolumn export penguins.safetensors --to c
      minicolumn export penguins.safetensors --to c --weights int8
      minicolumn export penguins.safetensors --to html --out penguins.html
      minicolumn export penguins.safetensors --to object --target aarch64-linux-gnu
      minicolumn export houses.safetensors --to onnx --out models/
    """
    from minicolumn.cli.run import DONE
    from minicolumn.cli.screen import open_console, print_json, working
    from minicolumn.cli.source import model_file
    from minicolumn.model.export.export import TARGETS, told
    from minicolumn.model.export.export import export as export_model
    from minicolumn.model.model import load

    if options.to is None:
        raise DataError(f"say what to export to: --to {', --to '.join(TARGETS)}")
    console = open_console(to_stderr=options.as_json, quiet=options.quiet)
    with working(console, "Exporting"):
        model = load(model_file(options.model))
        exported = export_model(model, options.to, options.out, options.target, options.weights)
    console.print(str(exported), markup=False, highlight=False, soft_wrap=True)
    if options.as_json:
        print_json({"model": options.model, "to": options.to, **told(exported)})
    return DONE


command = as_command(export, ExportOptions, check_room_for_tables)
