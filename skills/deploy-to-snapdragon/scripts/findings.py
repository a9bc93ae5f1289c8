"""Findings of a check in few lines: ``python findings.py check.json``. Standard library only."""

import json
import sys


def place(found):
    return f"{found['file']}:{found['start']['line']}:{found['start']['column']}" if found else "(no source)"


def main(path):
    with open(path, encoding="utf-8") as stream:
        report = json.load(stream)
    if "error" in report:
        print(f"could not check: {report['error']['message']}; {report['error']['remedy']}")
        return 2
    placement = report["placement"]
    print(f"{report['model']} on {report['soc']}: {placement['npu']} of {report['nodes']} nodes on the NPU")
    left = 0
    for finding in report["findings"]:
        left += finding["severity"] != "information"
        print(f"{finding['severity']} [{finding['rule']}] {place(finding['range'])} {finding['message']}")
        if finding["compiler"]:
            print(f"    compiler: {' '.join(finding['compiler'].split())[:300]}")
        for fix in finding["fixes"]:
            how = "aipc fix edits the source" if fix["edits"] else "deploy does it by itself"
            print(f"    {how}: {fix['title']}")
        for choice in finding["evidence"].get("choices", ()):
            print(f"    no exact rewrite: {choice['reason']}; choose: {' | '.join(choice['options'])}")
    print("nothing to do before deploying" if not left else f"{left} to solve before deploying")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
