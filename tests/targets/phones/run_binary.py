"""Run a context binary on the inputs of a dataset file, as a hosted device does: ``run_binary.py BINARY IN.h5 OUT.h5``.

QAIRT's simulator runs it. Prints the times of three runs as JSON, in microseconds of this computer.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path

from aipc.qairt.context_info import read_context_info
from aipc.qairt.session import open_session
from aipc.qairt.soc import all_socs

sys.path.insert(0, str(Path(__file__).parent))
from qnn_net_run import wrap


def main() -> int:
    import numpy as np

    binary, given, out = map(Path, sys.argv[1:])
    info = read_context_info(binary)
    graph = info.graphs[0]
    chip = next(soc for soc in all_socs() if soc.soc_id == info.soc_model)
    with np.load(given) as data:
        feeds = {name: data[name] for name in data.files}
    with tempfile.TemporaryDirectory() as directory:
        session = open_session(wrap(binary, graph, Path(directory)), chip, verbose=False)
        times = []
        for _ in range(3):
            started = time.perf_counter()
            values = session.run(None, feeds)
            times.append(int((time.perf_counter() - started) * 1e6))
    np.savez(out, **{tensor.name: value for tensor, value in zip(graph.outputs, values, strict=True)})
    print(json.dumps(times))
    return 0


if __name__ == "__main__":
    sys.exit(main())
