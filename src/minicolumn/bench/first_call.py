"""Cold-start latency: the first call of a training epoch, taken apart; run as a fresh process by `startup`.

python -m minicolumn.bench.first_call WORKLOAD whole|parts|jax      prints seconds as one line of JSON
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import Any

from minicolumn.bench.workloads import Problem, workload_by_name

_LATER = 4  # calls; of a wide network one alone can take longer than loading the code does


def whole(problem: Problem) -> dict[str, float]:
    """Return the seconds of the first call beyond the fastest of four later ones: tracing and compilation.

    Returns     {"first_call": seconds}, at least 0
    """
    from minicolumn.bench import ours

    run, args = ours.program(problem.workload), ours.arguments(problem)
    return _beyond_later(lambda: run(*args))


def jax(problem: Problem) -> dict[str, float]:
    """Return the same of a JAX scan over as many steps."""
    from minicolumn.bench import with_jax

    return _beyond_later(with_jax.scan(problem).call)


def _beyond_later(call: Callable[[], object]) -> dict[str, float]:
    """Call a function five times and return what the first call took more than the fastest of the rest."""
    first, *later = (_clock(call)[1] for _ in range(1 + _LATER))
    return {"first_call": max(0.0, first - min(later))}


def parts(problem: Problem) -> dict[str, float]:
    """Return the seconds of each stage of a first call without a cache.

    Returns     {"llvm_start", "trace", "passes", "write_llvm", "llvm", "load"}: seconds each
    """
    from minicolumn.bench import ours
    from minicolumn.lower.llvm.codegen.program import emit_program
    from minicolumn.lower.llvm.runtime.jit import Loaded, compile_object, host_target
    from minicolumn.passes.pipeline import SIMPLIFY
    from minicolumn.trace.dims import named_axes, with_dims
    from minicolumn.trace.program import argument, trace
    from minicolumn.train.step import STEPS_DIMS, train_steps
    from minicolumn.tree import flatten

    leaves, structure = flatten((ours.arguments(problem), {}))
    target, start = _clock(host_target)
    types = with_dims([argument(x) for x in leaves], structure, named_axes(STEPS_DIMS))
    program, tracing = _clock(lambda: trace(train_steps(ours.step(problem.workload)), types, structure))
    graph, simplifying = _clock(lambda: SIMPLIFY(program.graph))
    emitted, emitting = _clock(lambda: emit_program(graph, target))
    code, compiling = _clock(lambda: compile_object(emitted.text, target))
    _, loading = _clock(lambda: Loaded(code))
    return {
        "llvm_start": start,
        "trace": tracing,
        "passes": simplifying,
        "write_llvm": emitting,
        "llvm": compiling,
        "load": loading,
    }


def _clock(call: Callable[[], Any]) -> tuple[Any, float]:
    """Return a call's result and its wall-clock seconds."""
    began = time.perf_counter()
    result = call()
    return result, time.perf_counter() - began


if __name__ == "__main__":
    name, mode = sys.argv[1:]
    measure = {"whole": whole, "parts": parts, "jax": jax}[mode]
    sys.stdout.write(json.dumps(measure(Problem(workload_by_name(name), steps=1))) + "\n")
