#!/usr/bin/env python3
"""Ask Qualcomm AI Hub with its own client (qai-hub), in whichever Python has it: that client pins its own protobuf.

    python aihub.py request.json

Prints one JSON document on a line for each piece of progress, and last ``{"result": ...}`` or ``{"error": ...}``.
The token is the client's own configuration (``qai-hub configure``); it is neither read nor written here.
"""

import json
import sys
import time
import zipfile


class Refused(Exception):
    """One sentence, and what to do."""

    def __init__(self, what, remedy=""):
        super().__init__(what)
        self.remedy = remedy


def tell(**fields):
    print(json.dumps(fields), flush=True)


def open_client():
    try:
        import qai_hub
    except ImportError as error:
        raise Refused(
            "qai-hub cannot be imported by %s: %s" % (sys.executable, error),
            'run pip install qai-hub, or name a Python that has it: python in [tool.aipc.targets."aihub:..."]',
        )
    return qai_hub, qai_hub.Client()


def devices(client):
    devices = []
    for device in client.get_devices():
        devices.append({"name": device.name, "os": device.os, "attributes": list(device.attributes)})
    return devices


def named(client, name):
    """The newest system of the devices with this name."""
    fitting = list(client.get_devices(name=name))
    if not fitting:
        raise Refused("AI Hub has no device %r" % name, "`aipc targets aihub:` lists those that it has")
    return max(fitting, key=lambda device: [int(part) for part in device.os.split(".") if part.isdigit()])


def wait(job, what, seconds):
    """Until the job is over. Raises when it failed."""
    last = ""
    while True:
        status = job.get_status()
        if status.success:
            return
        if status.finished:
            raise Refused("%s failed on AI Hub: %s" % (what, status.message or status.code), "see %s" % job.url)
        note = "%s: %s" % (what, status.symbol + " " + status.code.lower().replace("_", " ") if status.code else "")
        if note != last:
            tell(progress=note)
            last = note
        time.sleep(seconds)


def run(client, request):
    import numpy

    device = named(client, request["device"])
    with numpy.load(request["inputs"], allow_pickle=False) as data:
        inputs = {name: [data[name]] for name in data.files}
    model = request["model"]
    if request["compile"]:
        tell(progress="uploading the graph and compiling it there")
        specs = {name: (tuple(values[0].shape), values[0].dtype.name) for name, values in inputs.items()}
        compiling = client.submit_compile_job(
            model=model, device=device, name=request["name"], input_specs=specs, options=request["compile"]
        )
        wait(compiling, "compiling", request["seconds"])
        model = compiling.get_target_model()
    else:
        tell(progress="uploading the context binary")
    job = client.submit_inference_job(model=model, device=device, inputs=inputs, name=request["name"], profile=True)
    wait(job, "running", request["seconds"])
    outputs = job.download_output_data()
    with zipfile.ZipFile(request["outputs"], "w") as archive:
        for name, values in outputs.items():  # numpy.savez takes no array that is called "file"
            with archive.open(name + ".npy", "w", force_zip64=True) as entry:
                numpy.lib.format.write_array(entry, values[0], allow_pickle=False)
    profile = job.download_profile()
    return {
        "url": job.url,
        "device": {"name": device.name, "os": device.os, "attributes": list(device.attributes)},
        "order": list(outputs),
        "summary": profile.get("execution_summary", {}),
        "layers": profile.get("execution_detail", []),
    }


def main():
    with open(sys.argv[1], encoding="utf-8") as stream:
        request = json.load(stream)
    try:
        qai_hub, client = open_client()
        if request["action"] == "devices":
            result = {"version": str(qai_hub.__version__), "devices": devices(client)}
        else:
            result = dict(run(client, request), version=str(qai_hub.__version__))
    except Refused as refused:
        tell(error={"what": str(refused), "remedy": refused.remedy})
        return 1
    except Exception as error:
        # The client's own errors are sentences for users; the network's are shown as they are.
        lines = [line.strip() for line in str(error).splitlines() if line.strip("-= |")]
        remedy = "run qai-hub configure --api_token TOKEN" if "token" in str(error).lower() else "see --debug"
        if "client.ini" in str(error) or "configur" in str(error).lower():
            remedy = "run qai-hub configure --api_token TOKEN"
        what = " ".join(lines)[:300] or type(error).__name__
        tell(error={"what": "AI Hub refused: %s" % what, "remedy": remedy, "kind": type(error).__name__})
        return 1
    tell(result=result)
    return 0


if __name__ == "__main__":
    sys.exit(main())
