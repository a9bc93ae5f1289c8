"""What quantizing costs in accuracy: ``python precision.py deploy.json``. Standard library only."""

import json
import sys


def main(path):
    with open(path, encoding="utf-8") as stream:
        report = json.load(stream)
    if "error" in report:
        print(f"could not deploy: {report['error']['message']}; {report['error']['remedy']}")
        return 2
    passed = "all gates passed" if report["ok"] else "a gate was NOT passed"
    print(f"{report['model']} for {report['soc']}, {report['precision']}: {passed}")
    for output in (report["accuracy"] or {}).get("outputs", ()):
        print(f"output {output['name']}: SQNR {output['sqnr_db']} dB, cosine {output['cosine']} against PyTorch")
    for finding in report["findings"]:
        where = finding["range"]
        place = f"{where['file']}:{where['start']['line']} " if where else ""
        print(f"{finding['severity']} [{finding['rule']}] {place}{finding['message']}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
