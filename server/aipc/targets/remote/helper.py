"""The device's side of an ssh target: sent over and run by the device's own Python, which needs nothing but itself.

Requests come on stdin: a line of JSON ``{"id", "do", ...}``, and where it says ``"bytes": N``, N bytes after it.
Answers go to stdout in the same form. No name from outside ever reaches a shell: names arrive in JSON, programs are
started by argument lists.

The end of stdin, or silence for too long, means that nobody is there any more: then what was started is ended, what
this run left is removed and the lock, which is the operating system's own, goes with this process.

Valid on Python 3.8 and later. ``facts.py`` and ``programs.py`` go before this text: they are one program.
"""

import glob
import hashlib
import json
import os
import shutil
import signal
import sys
import threading
import time

if "Facts" not in globals():
    from facts import WINDOWS, Facts  # when it is looked at as a file
    from programs import Programs, Refused

CHUNK = 1 << 16
KEPT = {"packages": 12, "models": 3}


class Helper(Facts, Programs):
    def __init__(self, settings):
        self.base = os.path.abspath(os.path.expanduser(settings.get("directory") or os.path.join("~", ".aipc")))
        self.silence = float(settings.get("silence", 30))
        self.npu_files = settings.get("npu_files") or ["/dev/fastrpc-*", "/dev/adsprpc-smd*"]
        self.own_python = settings.get("python") or ""
        self.heard = time.monotonic()
        self.writing = threading.Lock()
        self.children = set()
        self.lock = None
        self.locked_since = 0.0
        self.run_place = ""
        self.closed = False

    # Conversation

    def send(self, message, content=b""):
        if content:
            message["bytes"] = len(content)
        data = json.dumps(message).encode("ascii") + b"\n" + content
        with self.writing:
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()

    def serve(self):
        threading.Thread(target=self.watch, daemon=True).start()
        stream = sys.stdin.buffer
        try:
            while True:
                line = stream.readline()
                if not line:
                    break
                self.heard = time.monotonic()
                request = json.loads(line.decode("ascii"))
                content = self.read(stream, int(request.get("bytes", 0)))
                if content is None or request["do"] == "bye":
                    break
                if request["do"] in ("run", "install", "facts", "finish", "begin"):
                    threading.Thread(target=self.answer, args=(request, content), daemon=True).start()
                else:
                    self.answer(request, content)
        except (OSError, ValueError):
            pass
        self.leave()

    def read(self, stream, count):
        parts = []
        while count:
            part = stream.read1(min(count, CHUNK))
            if not part:
                return None
            self.heard = time.monotonic()
            parts.append(part)
            count -= len(part)
        return b"".join(parts)

    def answer(self, request, content):
        answer = {"id": request["id"]}
        payload = b""
        try:
            result = getattr(self, "do_" + request["do"])(request, content)
            if isinstance(result, bytes):
                payload, result = result, {}
            answer["ok"] = result
        except Refused as problem:
            answer["error"] = {"kind": problem.args[0], "words": problem.args[1]}
        except OSError as problem:
            reason = problem.strerror or str(problem)
            answer["error"] = {
                "kind": "os",
                "errno": problem.errno,
                "words": reason,
                "file": str(problem.filename or ""),
            }
        except Exception as problem:
            answer["error"] = {"kind": "defect", "words": "%s: %s" % (type(problem).__name__, problem)}
        try:
            self.send(answer, payload)
        except (OSError, ValueError):
            self.leave()

    def watch(self):
        while True:
            time.sleep(min(1.0, self.silence / 4))
            if time.monotonic() - self.heard > self.silence:
                self.leave()

    def leave(self):
        """Nobody is there any more, or has said goodbye: end what was started and go."""
        if not self.closed:
            self.closed = True
            try:
                self.end_children()
                self.remove_run()
            finally:
                os._exit(0)

    # The lock

    def do_lock(self, request, content):
        """Whoever has the file locked has the device; the system takes the lock from a process that ends."""
        os.makedirs(self.base, exist_ok=True)
        if self.lock is not None:
            return {"holder": None}
        stream = os.open(os.path.join(self.base, "lock"), os.O_RDWR | os.O_CREAT, 0o600)
        if not self.try_lock(stream):
            os.close(stream)
            holder = self.read_json("owner.json")
            age = time.time() - float(holder.get("since", time.time()))
            return {"holder": {"owner": holder.get("owner"), "age": max(0.0, age)}}
        self.lock = stream
        # What a holder left that had no time to clean up: nobody else may be at work here now.
        shutil.rmtree(os.path.join(self.base, "runs"), ignore_errors=True)
        self.write_file("owner.json", json.dumps({"owner": request["owner"], "since": time.time()}).encode())
        return {"holder": None}

    def try_lock(self, stream):
        try:
            if WINDOWS:
                import msvcrt

                msvcrt.locking(stream, msvcrt.LK_NBLCK, 1)
            else:
                import fcntl

                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True

    def do_unlock(self, request, content):
        if self.lock is not None:
            try:
                os.remove(os.path.join(self.base, "owner.json"))
            except OSError:
                pass
            os.close(self.lock)
            self.lock = None
        return {}

    def write_file(self, name, content):
        path = os.path.join(self.base, name)
        with open(path + ".part", "wb") as stream:
            stream.write(content)
        os.replace(path + ".part", path)

    # Files

    def place(self, name):
        """A path below the base directory; anything else is refused."""
        path = os.path.abspath(os.path.join(self.base, name))
        if os.path.commonpath([path, self.base]) != self.base or path == self.base:
            raise Refused("defect", "a path outside of AIPC's directory: %r" % name)
        return path

    def do_begin(self, request, content):
        """Prepare to take files into ``to``: whether they are there already, else what of each has arrived."""
        final, staging = self.place(request["to"]), self.place(request["staging"])
        if os.path.isdir(final):
            if not self.damaged(final, request["files"]):
                return {"there": True, "have": {}}
            shutil.rmtree(final)
        self.remove_old(os.path.dirname(staging), keep=os.path.basename(staging))
        os.makedirs(staging, exist_ok=True)
        self.take_over(staging, final, request["files"])
        have = {}
        for name in request["files"]:
            try:
                have[name] = os.path.getsize(os.path.join(self.inside(staging, name)))
            except OSError:
                have[name] = 0
        return {"there": False, "have": have, "free": self.free()}

    def take_over(self, staging, final, files):
        """Copy what other packages here have already: a package that was only verified again, or compiled anew."""
        others = self.newest(os.path.dirname(final))[:3]
        for name, digest in files.items():
            path = self.inside(staging, name)
            for other in others if not os.path.exists(path) else ():
                source = self.inside(other, name)
                if os.path.isfile(source) and hash_file(source) == digest:
                    os.makedirs(os.path.dirname(path), exist_ok=True)
                    shutil.copyfile(source, path)
                    break

    def newest(self, directory):
        """The directories in ``directory``, the newest first."""
        try:
            directories = [entry for entry in os.scandir(directory) if entry.is_dir()]
            return [entry.path for entry in sorted(directories, key=lambda entry: -entry.stat().st_mtime)]
        except OSError:
            return []

    def inside(self, directory, name):
        path = os.path.abspath(os.path.join(directory, *name.split("/")))
        if os.path.commonpath([path, directory]) != directory:
            raise Refused("defect", "a path outside of its directory: %r" % name)
        return path

    def remove_old(self, directory, keep):
        """What other pushes left unfinished, a week ago or more."""
        try:
            for name in os.listdir(directory):
                path = os.path.join(directory, name)
                if name != keep and abs(time.time() - os.path.getmtime(path)) > 7 * 86400:
                    shutil.rmtree(path, ignore_errors=True)
        except OSError:
            pass

    def do_write(self, request, content):
        path = self.inside(self.place(request["staging"]), request["name"])
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "r+b" if request["offset"] else "wb") as stream:
            stream.seek(request["offset"])
            stream.write(content)
            stream.truncate()
        return {}

    def damaged(self, directory, files):
        names = []
        for name, digest in files.items():
            try:
                if hash_file(self.inside(directory, name)) != digest:
                    names.append(name)
            except OSError:
                names.append(name)
        return names

    def do_finish(self, request, content):
        """Hash what has arrived; when all of it is right, rename it into its place."""
        final, staging = self.place(request["to"]), self.place(request["staging"])
        bad = self.damaged(staging, request["files"])
        for name in bad:
            try:
                os.remove(self.inside(staging, name))
            except OSError:
                pass
        if not bad:
            os.makedirs(os.path.dirname(final), exist_ok=True)
            os.rename(staging, final)
            for kind, most in KEPT.items():
                for old in self.newest(os.path.join(self.base, kind))[most:]:
                    if old != final:
                        shutil.rmtree(old, ignore_errors=True)
        return {"bad": bad, "where": final}

    def do_read(self, request, content):
        with open(self.place(request["name"]), "rb") as stream:
            stream.seek(request["offset"])
            return stream.read(CHUNK)

    def do_hash(self, request, content):
        path = self.place(request["name"])
        return {"sha256": hash_file(path), "size": os.path.getsize(path)}

    def do_remove(self, request, content):
        shutil.rmtree(self.place(request["name"]), ignore_errors=True)
        return {}

    def do_ping(self, request, content):
        return {}

    # Programs

    def do_run(self, request, content):
        """Run a package's runner; what it says of its progress is sent on.

        Of its arguments, ``@name`` is a file of the run and ``@@name`` one below the base directory.
        """
        if self.lock is None:
            raise Refused("defect", "running without the device's lock")
        self.run_place = self.place(request["place"])
        runner = os.path.join(self.place(request["package"]), "run.py")
        command = [self.python(), runner, "--end-with-stdin", *(self.argument(part) for part in request["arguments"])]
        return self.start(command, request.get("seconds"), lambda note: self.note(request["id"], note))

    def argument(self, part):
        if part[:2] == "@@":
            return self.place(part[2:])
        return self.inside(self.run_place, part[1:]) if part[:1] == "@" else part

    def note(self, number, note):
        """Say something of a request whose answer is still to come."""
        try:
            self.send({"id": number, "note": note})
        except (OSError, ValueError):
            pass  # whoever listened is gone, which ends this process elsewhere

    def do_install(self, request, content):
        """Make the private environment from wheels that were pushed, or online; whole, or not at all."""
        if self.lock is None:
            raise Refused("defect", "a set-up without the device's lock")
        wheels, env, new = self.place(request["wheels"]), self.place("env"), self.place("env.new")
        shutil.rmtree(new, ignore_errors=True)
        created = self.start([sys.executable, "-m", "venv", "--without-pip", new], 300)
        if created["status"]:
            shutil.rmtree(new, ignore_errors=True)
            raise Refused("venv", last_line(created["stderr"]) or "python -m venv ended with %s" % created["status"])
        python = os.path.join(new, *(("Scripts", "python.exe") if WINDOWS else ("bin", "python")))
        pip = next(iter(glob.glob(os.path.join(glob.escape(wheels), "pip-*.whl"))), None)
        if pip is None:
            raise Refused("pip", "the wheel of pip has not arrived")
        source = [] if request["online"] else ["--no-index"]
        command = [python, os.path.join(pip, "pip"), "install", "--no-input", "--disable-pip-version-check", "--quiet"]
        command += [*source, "--find-links", wheels, *request["requirements"]]
        installed = self.start(command, request.get("seconds"))
        if installed["status"]:
            shutil.rmtree(new, ignore_errors=True)
            full = "No space left" in installed["stderr"]
            raise Refused("full" if full else "pip", last_line(installed["stderr"]) or "pip failed")
        old = self.place("env.old")
        shutil.rmtree(old, ignore_errors=True)
        if os.path.isdir(env):
            os.rename(env, old)
        os.rename(new, env)
        shutil.rmtree(old, ignore_errors=True)
        shutil.rmtree(wheels, ignore_errors=True)
        return {}

    def do_clean(self, request, content):
        self.end_children()
        self.remove_run()
        return {}

    def remove_run(self):
        if self.lock is not None:
            shutil.rmtree(os.path.join(self.base, "runs"), ignore_errors=True)
            shutil.rmtree(os.path.join(self.base, "env.new"), ignore_errors=True)


def hash_file(path):
    digest = hashlib.sha256()
    with open(path, "rb") as stream:
        for block in iter(lambda: stream.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()


def last_line(text):
    lines = [line for line in text.strip().splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR")]
    return (errors or lines or [""])[-1].strip()


def main():
    settings = json.loads(sys.stdin.buffer.readline().decode("ascii"))
    if not WINDOWS:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    Helper(settings).serve()


main()
