"""Deploy a model to a test device by the command line, as a user does, from a device that has nothing but Python:

    python tests/targets/deploy_ssh.py MODEL [SOC]

A real OpenSSH server on loopback is the device; what it lacks is set up offline, from wheels. `make deploy-ssh` runs
this.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from device import TestDevice

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def main(model: str, soc: str) -> int:
    directory = Path(tempfile.mkdtemp(prefix="aipc-device-"))
    try:
        with TestDevice(directory) as device:
            environment = {**os.environ, **device.client_environment()}
            aipc = [sys.executable, "-m", "aipc"]
            command = [*aipc, "deploy", model, "--soc", soc, "--target", device.target, "--setup"]
            command += ["--out", str(directory / "package")]
            status = subprocess.run(command, cwd=EXAMPLES, env=environment).returncode
            if status:
                return status
            again = [*aipc, "verify", str(directory / "package"), "--target", device.target, "--json"]
            finished = subprocess.run(again, cwd=EXAMPLES, env=environment, stdout=subprocess.PIPE, text=True)
            report = json.loads(finished.stdout)
            print(f"verified again: {report['ok']}, changed since: {report['changed']}, latency {report['latency']}")
            left = [" ".join(process.cmdline())[:120] for process in device.processes("stdin.buffer")]
            print(f"left on the device: {left or 'nothing'}")
            return 1 if left or not report["ok"] or report["latency"] is not None else 0
    finally:
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], *(sys.argv[2:3] or ["sm8650"])))
