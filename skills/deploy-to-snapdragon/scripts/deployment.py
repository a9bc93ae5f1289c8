"""A deployment in few lines: ``python deployment.py deploy.json [--package]``. Standard library only.

Exit status 0 when every gate was passed, 1 when one was not, 2 when it could not run.
"""

import json
import sys


def main(path, only_package):
    with open(path, encoding="utf-8") as stream:
        report = json.load(stream)
    if "error" in report:
        print(f"could not deploy: {report['error']['message']}; {report['error']['remedy']}", file=sys.stderr)
        return 2
    if only_package:
        print(report["package"] or "")
        return 0 if report["package"] else 1
    for stage in report["stages"]:
        gate = stage["gate"]
        if gate:
            passed = "passed" if gate["ok"] else "NOT PASSED"
            print(f"{stage['name']}: {passed}, {gate['metric']} {gate['value']}, wanted {gate['threshold']}")
            if not gate["ok"] and gate["detail"]:
                print(f"    {gate['detail']}")
    if report["placement"]:
        print("placement: " + ", ".join(f"{count} {place}" for place, count in report["placement"].items()))
    for output in (report["accuracy"] or {}).get("outputs", ()):
        print(f"output {output['name']}: SQNR {output['sqnr_db']} dB, cosine {output['cosine']} against PyTorch")
    print("latency: " + ("not measured (no device)" if report["latency"] is None else json.dumps(report["latency"])))
    if report["ok"]:
        print(f"package: {report['package']}")
    else:
        print(f"capsule: {report['capsule']}")
    return 0 if report["ok"] else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], "--package" in sys.argv[2:]))
