"""What a device is: the part of its helper that only looks. Valid on Python 3.8 and later (see ``helper.py``)."""

import glob
import json
import os
import platform
import shutil
import socket
import subprocess
import sys
import sysconfig
import time

WINDOWS = sys.platform == "win32"
PROBE = """
import json, platform, sys
from importlib import metadata
found = {}
for name in ("onnxruntime", "onnxruntime-qnn", "numpy"):
    try:
        found[name] = metadata.version(name)
    except Exception:
        pass
qairt = ""
try:
    import importlib.util, os, re
    place = os.path.dirname(importlib.util.find_spec("onnxruntime_qnn").origin)
    with open(os.path.join(place, "build_and_package_info.py"), encoding="utf-8") as stream:
        qairt = re.search(r"qnn_version\\s*=\\s*['\\"]([^'\\"]+)", stream.read()).group(1)
except Exception:
    pass
print(json.dumps({"python": platform.python_version(), "packages": found, "qairt": qairt}))
"""


class Facts:
    """Of :class:`Helper`: ``base``, ``own_python`` and ``npu_files`` are its own."""

    def do_facts(self, request, content):
        python = self.python()
        try:
            probe = json.loads(self.output([python, "-c", PROBE], 60))
        except (OSError, ValueError, subprocess.SubprocessError):
            probe = {"python": "", "packages": {}, "qairt": ""}
        return {
            "system": {"win32": "windows"}.get(sys.platform, sys.platform),
            "machine": self.machine(),
            "os": self.os_name(),
            "libc": " ".join(part for part in self.libc() if part),
            "soc_names": self.soc_names(),
            "free_bytes": self.free(),
            "npu_users": self.npu_users(),
            "clock": time.time(),
            "temperature": self.temperature(),
            "base": self.base,
            "python_here": platform.python_version(),
            "python_platform": sysconfig.get_platform(),
            "python_used": python,
            "python": probe["python"],
            "packages": probe["packages"],
            "qairt": probe["qairt"],
            "hostname": socket.gethostname(),
        }

    def machine(self):
        return os.environ.get("PROCESSOR_ARCHITEW6432") or platform.machine()

    def os_name(self):
        try:
            with open("/etc/os-release", encoding="utf-8") as stream:
                for line in stream:
                    if line.startswith("PRETTY_NAME="):
                        return line.partition("=")[2].strip().strip('"')
        except (OSError, UnicodeError):
            pass
        return "%s %s" % (platform.system(), platform.release())

    def libc(self):
        name, version = platform.libc_ver()
        if name:
            return name, version
        return ("musl", "") if glob.glob("/lib/ld-musl-*") else ("", "")

    def soc_names(self):
        """[[where it was read, the name], ...], the surest first."""
        names = []
        declared = self.read_json("device.json").get("soc")
        if isinstance(declared, str):
            names.append([os.path.join(self.base, "device.json"), declared])
        for path in ("/sys/devices/soc0/machine", "/sys/devices/soc0/chip_family", "/proc/device-tree/compatible"):
            try:
                with open(path, "rb") as stream:
                    text = stream.read().decode("utf-8", "replace")
            except OSError:
                continue
            names += [[path, name.strip()] for name in text.split("\0") if name.strip()]
        if WINDOWS:
            try:
                import winreg

                key = winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, r"HARDWARE\DESCRIPTION\System\CentralProcessor\0")
                name = winreg.QueryValueEx(key, "ProcessorNameString")[0]
                names += [["the registry", part.strip()] for part in name.split(" - ")]
            except OSError:
                pass
        return names

    def read_json(self, name):
        try:
            with open(os.path.join(self.base, name), encoding="utf-8") as stream:
                value = json.load(stream)
            return value if isinstance(value, dict) else {}
        except (OSError, ValueError):
            return {}

    def free(self):
        place = self.base
        while not os.path.isdir(place) and os.path.dirname(place) != place:
            place = os.path.dirname(place)
        try:
            return shutil.disk_usage(place).free
        except OSError:
            return None

    def npu_users(self):
        """Names of other processes that have the NPU's device file open (those that this user may see)."""
        files = {os.path.realpath(path) for pattern in self.npu_files for path in glob.glob(pattern)}
        users = []
        for link in glob.glob("/proc/[0-9]*/fd/*") if files else ():
            pid = link.split("/")[2]
            try:
                if os.readlink(link) in files and int(pid) != os.getpid():
                    with open("/proc/%s/comm" % pid, encoding="utf-8") as stream:
                        users.append("%s (%s)" % (stream.read().strip(), pid))
            except (OSError, UnicodeError):
                continue
        return sorted(set(users))

    def temperature(self):
        values = []
        for path in glob.glob("/sys/class/thermal/thermal_zone*/temp"):
            try:
                with open(path, encoding="ascii") as stream:
                    values.append(int(stream.read()) / 1000.0)
            except (OSError, ValueError):
                continue
        values = [value for value in values if -40 < value < 150]
        return max(values) if values else None

    def python(self):
        """The Python that runs packages: the one of the configuration, or that of AIPC's own environment."""
        if self.own_python:
            return os.path.expanduser(self.own_python)
        place = ("Scripts", "python.exe") if WINDOWS else ("bin", "python")
        return os.path.join(self.base, "env", *place)
