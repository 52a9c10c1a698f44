"""LLVM text to code that runs: parsed, verified, optimised, emitted as an object file, and loaded.

llvmlite is loaded by the first call, not by importing this module. Its functions take one lock for all of
LLVM, so compiling in several threads is safe; each text lives in an LLVM context of its own.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from minicolumn.address_space import NoRoomError, check_room, check_room_for_llvm
from minicolumn.errors import MinicolumnError, did_you_mean
from minicolumn.lower.llvm.runtime.cache import ObjectCache, key_of
from minicolumn.lower.llvm.schedule.machine import Machine, machine_for

# What is lost with a feature, of those that a Machine is chosen by.
_BUILT_ON = {"avx": ("avx2", "fma", "avx512f"), "avx2": ("avx512f",), "fma": ("avx512f",)}
# The text is vectorised and unrolled when it arrives. Against LLVM's own O2 (vectorisers off) on twenty
# functions of two hundred instructions, and on a matrix product, this runs as fast and takes 14 ms instead of
# 290, 2 instead of 13. Loop unrolling made the matrix product slower; NewGVN won nothing.
_LEAN = (
    "always_inliner",
    "sroa",
    "simplify_cfg",
    "instruction_combine",
    "simplify_cfg",
    "global_dead_code_eliminate",
)
# What LLVM may take for a small text, and for each character of a text: 3 MiB for 61 kB were measured, the
# rest is for what allocators keep in reserve.
COMPILER_BYTES, BYTES_A_CHARACTER = 16 << 20, 256
_PASSES = {0: ("always_inliner",), 1: ("always_inliner", "sroa", "simplify_cfg"), 2: _LEAN}


class CodeError(MinicolumnError, AssertionError):
    """LLVM refuses a text or an object file: a fault of the lowering, not of its user."""


@dataclass(frozen=True)
class Target:
    """The processor that code is made for, as LLVM names it and as the lowerings see it.

    abi         how functions are called, where a kind of processor has several ways
    alone       whether an object file is to be linked by others, not loaded into this process
    """

    triple: str
    cpu: str
    features: str
    machine: Machine
    abi: str = ""
    alone: bool = False

    @property
    def identity(self) -> str:
        """Return all of it as text, for a cache's key."""
        return f"{self.triple} {self.cpu} {self.features} {self.machine}"


@functools.cache
def _llvm() -> Any:
    """Return llvmlite's binding, ready to emit code for this computer's kind of processor."""
    check_room_for_llvm("native code")
    import llvmlite.binding as llvm

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    return llvm


@functools.cache
def _llvm_for(triple: str) -> Any:
    """Return llvmlite's binding, ready to emit code for a processor; all other kinds take 10 MB of memory."""
    llvm = _llvm()
    if triple.split("-")[0] != llvm.get_process_triple().split("-")[0]:
        llvm.initialize_all_targets()
        llvm.initialize_all_asmprinters()
    return llvm


@functools.cache
def _check_execution() -> None:
    """Raise ImportError or OSError where native code cannot be made; asked again after a failure."""
    _llvm().check_jit_execution()


def why_missing() -> str:
    """Return why native code cannot be made here now, or an empty string where it can.

    Errors      NoRoomError where a limit on the address space leaves too little: whoever fell back to the
                reference then would stay there, with other bits, when there is room again
    """
    try:
        _check_execution()
    except NoRoomError:
        raise
    except ImportError as error:
        return f"native code needs llvmlite: {error}; install it with: pip install llvmlite"
    except (OSError, MemoryError) as error:
        return f"native code cannot run here: {error or 'there is not enough memory'}"
    return ""


def available() -> bool:
    """Return whether native code can be made and run here."""
    return not why_missing()


@functools.cache
def versions() -> str:
    """Return the versions that shape the code, for a cache's key: "llvmlite 0.50.0, LLVM 22.1.0"."""
    import llvmlite

    return f"llvmlite {llvmlite.__version__}, LLVM {'.'.join(map(str, _llvm().llvm_version_info))}"


# Targets --------------------------------------------------------------------------------------------------


def host_target(without: Sequence[str] = ()) -> Target:
    """Return this computer's processor, as if it lacked some features, such as ("avx512f",)."""
    return _host_target(tuple(sorted(set(without))))


@functools.cache
def _host_target(without: tuple[str, ...]) -> Target:
    llvm = _llvm()
    found = dict(llvm.get_host_cpu_features())
    lost = {*without, *(f for name in without for f in _BUILT_ON.get(name, ()))}
    for name in without:
        if name not in found:
            raise CodeError(f"host_target: no feature is named {name!r} here{did_you_mean(name, found)}")
    listed = [f"{'+' if found[name] else '-'}{name}" for name in sorted(found)]
    # LLVM applies the list from left to right, and takes away what is built on a lost feature.
    features = ",".join([*listed, *(f"-{name}" for name in sorted(lost))])
    triple = llvm.get_process_triple()
    has = {name for name, there in found.items() if there} - lost
    machine = machine_for(triple.split("-")[0], has)
    return Target(triple, llvm.get_host_cpu_name(), features, replace(machine, **cache_sizes()))


def cache_sizes(folder: Path = Path("/sys/devices/system/cpu/cpu0/cache")) -> dict[str, int]:
    """Return {"l1": bytes, "l2": bytes} of data cache a core, as far as the system tells."""
    sizes = {}
    for index in sorted(folder.glob("index*")):
        try:
            level, kind, size = ((index / name).read_text().strip() for name in ("level", "type", "size"))
        except OSError:
            continue
        match = re.fullmatch(r"([1-9][0-9]*)([KM]?)", size)
        if match and level in "12" and kind in ("Data", "Unified"):
            sizes[f"l{level}"] = int(match[1]) * {"": 1, "K": 1024, "M": 1024**2}[match[2]]
    return sizes


# Compiling ------------------------------------------------------------------------------------------------


def compile_object(text: str, target: Target, optimization: int = 2) -> bytes:
    """Return the object file of an LLVM text.

    optimization    0 nothing but inlining what must be, and quick code generation; 1 no redundant stack;
                    2 tidied; 3 LLVM's whole O2 but for vectorising, which takes ten times as long
                    for at best a few percent
    """
    return _compiled(text, target, optimization, lambda machine, module: machine.emit_object(module))


def object_of(text: str, target: Target, optimization: int = 2, cache: ObjectCache | None = None) -> bytes:
    """Return the object file of an LLVM text: from the cache if it is there, else compiled and put there."""
    cache = cache or ObjectCache.default()
    key = key_of("text", text, target.identity, versions(), str(optimization))
    found = cache.get(key)
    if found is None:
        found = {}, compile_object(text, target, optimization)
        cache.put(key, *found)
    return found[1]


def assembly(text: str, target: Target, optimization: int = 2) -> str:
    """Return the assembly of an LLVM text."""
    return _compiled(text, target, optimization, lambda machine, module: machine.emit_assembly(module))


def optimised(text: str, target: Target, optimization: int = 2) -> str:
    """Return the LLVM text after optimising."""
    return _compiled(text, target, optimization, lambda machine, module: str(module))


def _compiled(text: str, target: Target, optimization: int, emit: Callable[[Any, Any], Any]) -> Any:
    llvm = _llvm()
    check_room(COMPILER_BYTES + BYTES_A_CHARACTER * len(text), "compiling")
    try:
        # The module goes before its context, in every case: the other order ends the process.
        with llvm.create_context() as context, llvm.parse_assembly(text, context) as module:
            module.verify()
            machine = _target_machine(target, optimization)
            module.triple = target.triple
            module.data_layout = str(machine.target_data)
            _optimise(module, machine, optimization)
            return emit(machine, module)
    except RuntimeError as error:
        raise CodeError(f"LLVM refuses the text: {error}{_place(str(error), text)}") from None


@functools.lru_cache(maxsize=8)
def _target_machine(target: Target, optimization: int) -> Any:
    """Return LLVM's code generator for a processor; to make one takes half of the time of a small text."""
    # Position-independent code for the small model addresses its constants in one short instruction, and
    # the loader places all of an object's sections side by side, so that they are always within reach.
    made = _llvm_for(target.triple).Target.from_triple(target.triple)
    if target.alone:
        return made.create_target_machine(
            target.cpu, target.features, opt=min(optimization, 2), reloc="pic", abiname=target.abi
        )
    return made.create_target_machine(
        target.cpu, target.features, opt=min(optimization, 2), reloc="pic", codemodel="small", jit=True
    )


def _place(message: str, text: str) -> str:
    """Return where the line stands that a verifier's message quotes, as far as it can be found."""
    lines = [line.strip() for line in text.splitlines()]
    if "<string>:" in message:  # the parser names its line itself
        return ""
    for quoted in message.splitlines()[1:]:
        result = re.match(r"\s*(%[\w.]+ =)", quoted)
        begin = result[1] if result else quoted.strip()
        for number, line in enumerate(lines, 1):
            if begin and line.startswith(begin):
                return f"(line {number}: {line})"
    return ""


def _optimise(module: Any, machine: Any, optimization: int) -> None:
    from llvmlite.binding import newpassmanagers as managers

    with (
        managers.create_pipeline_tuning_options(2) as options,
        # A new one each time: each run leaves callbacks behind in it that point at what is gone.
        managers.create_pass_builder(machine, options) as builder,
    ):
        passes = _whole_pipeline(builder, options) if optimization > 2 else _pipeline(_PASSES[optimization])
        try:
            passes.run(module, builder)
        finally:
            # A module's pass manager inherits the empty `_dispose` first, so that nothing else would free it.
            managers.NewPassManager._dispose(passes)
            passes.detach()


def _pipeline(names: Sequence[str]) -> Any:
    from llvmlite.binding import newpassmanagers as managers

    passes = managers.create_new_module_pass_manager()
    for name in names:
        getattr(passes, f"add_{name}_pass")()
    return passes


def _whole_pipeline(builder: Any, options: Any) -> Any:
    options.loop_vectorization = options.slp_vectorization = False
    options.loop_interleaving = options.loop_unrolling = False
    return builder.getModulePassManager()


# Loading --------------------------------------------------------------------------------------------------


class Loaded:
    """An object file in memory, ready to be called for as long as this lives.

    Calls out of it, such as to memcpy or sched_yield, go to the functions of this process.
    """

    def __init__(
        self,
        code: bytes,
        names: Sequence[str] = ("run",),
        imports: Mapping[str, int] = MappingProxyType({}),
        keeps: Sequence[object] = (),
    ) -> None:
        """Load an object file; `names` are the functions whose addresses will be asked for.

        imports     addresses of other functions that it calls, by name; keeps: what these belong to
        """
        llvm = _llvm()
        # A loader for each object: less than a millisecond, and unlike a shared one it gives all back.
        loader = llvm.create_lljit_compiler(_any_machine(), use_jit_link=True, suppress_errors=True)
        library = llvm.JITLibraryBuilder().add_object_img(code).add_current_process()
        for name in names:
            library.export_symbol(name)
        for name, address in imports.items():
            library.import_symbol(name, address)
        try:
            self._library = library.link(loader, "code")
        except RuntimeError as error:
            raise CodeError(f"LLVM cannot load the object file: {error}") from None
        self._names, self._keeps = tuple(names), tuple(keeps)

    def address(self, name: str) -> int:
        """Return where a function begins."""
        if name not in self._names:
            raise CodeError(f"no function {name!r} was loaded{did_you_mean(name, self._names)}")
        return self._library[name]


@functools.cache
def _any_machine() -> Any:
    """Return a machine for the loader, which takes no more than the kind of file from it."""
    return _llvm().Target.from_triple(_llvm().get_process_triple()).create_target_machine(jit=True)
