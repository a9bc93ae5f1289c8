"""The findings of a check that are about numbers: ``python numbers.py check.json``. Standard library only."""

import json
import sys

RULES = ("wrong-numbers", "diverges", "fp16-precision")


def main(path):
    with open(path, encoding="utf-8") as stream:
        report = json.load(stream)
    if "error" in report:
        print(f"could not check: {report['error']['message']}; {report['error']['remedy']}")
        return 2
    found = [item for item in report["findings"] if item["rule"] in RULES]
    for item in found:
        where = item["range"]
        place = f"{where['file']}:{where['start']['line']}" if where else "(no source)"
        print(f"[{item['rule']}] {place} {item['message']}")
    if not found:
        print("every operator's own numbers are right on the NPU")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
