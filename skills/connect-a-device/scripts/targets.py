"""Where packages can run: ``python targets.py targets.json``. Standard library only."""

import json
import sys


def main(path):
    with open(path, encoding="utf-8") as stream:
        found = json.load(stream)
    if "error" in found:
        print(f"{found['error']['message']}; {found['error']['remedy']}")
        return 2
    for target in found["targets"]:
        state = "available" if target["available"] else f"not available: {target['reason']}"
        print(f"{target['name']}: {target['title']}, {state}")
    print(f"{len(found['socs'])} chips can be compiled for")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
