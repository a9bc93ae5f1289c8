"""What ``aipc ops NAME --json`` says, one line a variant: ``python variants.py variants.json``. Standard library only."""

import json
import sys


def main(path):
    with open(path, encoding="utf-8") as stream:
        found = json.load(stream)
    if "error" in found:
        print(f"{found['error']['message']}; {found['error']['remedy']}")
        return 2
    for variant in found["variants"]:
        for soc, measured in variant["measured"].items():
            reason = " ".join(str(measured.get("reason") or "").split())[:160]
            print(f"{soc} {measured['verdict']}: {variant['id']}" + (f" ({reason})" if reason else ""))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
