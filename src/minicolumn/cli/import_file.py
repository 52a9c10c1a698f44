"""`minicolumn import`: a network of another library's file as a model file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar

from minicolumn.address_space import check_room_for_arrays
from minicolumn.cli.declared import CommandOptions, Option, as_command

WHAT, OUTPUT = "What to import", "What comes out"


@dataclass(frozen=True, kw_only=True)
class ImportOptions(CommandOptions):
    """The options of `minicolumn import`, as they were written."""

    GROUPS: ClassVar = (WHAT, OUTPUT)

    file: Annotated[str, Option(WHAT, "FILE", help="An .onnx, .safetensors, .keras or .weights.h5 file.")]
    activation: Annotated[
        str | None, Option(WHAT, "NAME", help="Of the hidden layers, where the file does not say: relu, ...")
    ] = None
    layers: Annotated[
        str | None, Option(WHAT, "NAMES", help="Of PyTorch: modules and activations in order: fc1,relu,fc2.")
    ] = None
    loss: Annotated[
        str | None,
        Option(WHAT, "NAME", "by the last activation", "What outputs mean: softmax_cross_entropy, ..."),
    ] = None
    out: Annotated[str | None, Option(OUTPUT, "MODEL", "FILE's name.safetensors", "Where to save.")] = None
    as_json: Annotated[
        bool, Option(OUTPUT, help="One JSON line on stdout; words go to stderr.", flags=("--json",))
    ] = False


def import_(options: ImportOptions) -> int:
    """Make a model file of a network that another library trained.

    FILE is an ONNX network, a PyTorch state_dict saved as safetensors, or a Keras 3 model. No code of
    it is run, and no other file is opened. Operators and layers that have no counterpart are named.

    Examples
      minicolumn import net.onnx
      minicolumn import net.keras --out net.safetensors
      minicolumn import state.safetensors --activation relu --out net.safetensors
      minicolumn import state.safetensors --layers fc1,tanh,fc2 --out net.safetensors
    """
    from rich.text import Text

    from minicolumn.cli.card import data_of, with_command
    from minicolumn.cli.run import DONE
    from minicolumn.cli.save import check_writable, file_size, save_model
    from minicolumn.cli.screen import open_console, print_json, visible
    from minicolumn.model.imports import import_file
    from minicolumn.nn.summary import summary

    out = options.out if options.out is not None else f"{Path(options.file).name.split('.')[0]}.safetensors"
    check_writable("--out", out, (options.file,))
    layers = None if options.layers is None else [name.strip() for name in options.layers.split(",")]
    model = import_file(options.file, activation=options.activation, layers=layers, loss=options.loss)
    model = with_command(model, "import", options, data_of(options.file))
    console = open_console(to_stderr=options.as_json)
    console.print(Text(summary(model.network, model.input_shape)))
    save_model(model, out)
    console.print(Text(f"\nSaved in {visible(out)}, {file_size(out)}"), soft_wrap=True)
    if options.as_json:
        shapes = {"input_shape": list(model.input_shape), "loss": model.loss}
        print_json({**shapes, "layers": len(model.params), "model": out})
    return DONE


import_.__name__ = "import"
command = as_command(import_, ImportOptions, check_room_for_arrays)
