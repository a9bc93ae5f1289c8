"""Runs that did not end well: ``python failures.py runs.json``. Standard library only."""

import json
import sys
from pathlib import Path


def main(path):
    with open(path, encoding="utf-8") as stream:
        runs = json.load(stream)["runs"]
    bad = [run for run in runs if run["state"] not in ("passed", "running")]
    for run in bad:
        stage = next((item for item in reversed(run["stages"]) if item["ok"] is False), None)
        where = f" at {stage['name']}: {stage['gate']}" if stage else ""
        print(f"{run['model']} for {run['soc']}: {run['state']}{where} {run['message']}".rstrip())
        capsule = Path(run["directory"], "capsule")
        print(f"    {capsule if capsule.is_dir() else run['directory']}")
    if not bad:
        print("no run failed")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
