"""A fork at any instant of another thread's first compilation leaves a child that can compile."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import minicolumn

SOURCE = Path(minicolumn.__file__).parents[1]
FORK = """
import os, signal, sys, threading, time, warnings
import numpy as np, minicolumn as mc
warnings.simplefilter("ignore")  # Python 3.12 and later warn of forks beside threads
x = np.ones((8, 8), np.float32)
thread = threading.Thread(target=lambda: mc.compile(lambda a: np.tanh(a @ a))(x))
thread.start()
time.sleep(float(sys.argv[1]))
child = os.fork()
if not child:
    signal.alarm(20)
    mc.compile(lambda a: np.cos(a @ a))(x)
    os._exit(0)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
thread.join()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.parametrize("delay", [0.005, 0.02, 0.05, 0.08, 0.12])
def test_a_child_compiles_though_another_thread_was_at_its_first_import(delay: float) -> None:
    environment = {**os.environ, "MINICOLUMN_CACHE_DIR": "off", "PYTHONPATH": str(SOURCE)}
    command = [sys.executable, "-c", FORK, str(delay)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60)
    assert (done.stdout.strip(), done.stderr) == ("0", "")
