"""Take rights away from this process for good, by the kernel: files (Landlock), sockets and programs (seccomp).

Both need no privileges and cannot be undone. Where the kernel has them not, the audit hook of ``confine`` remains.
Sources: Linux, Documentation/userspace-api/landlock.rst and seccomp_filter.rst; include/uapi/linux/landlock.h.
"""

from __future__ import annotations

import ctypes
import os
import platform
import struct
import sys
from collections.abc import Sequence

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_RULE_PATH_BENEATH = 1
_READ = 1 << 2 | 1 << 3
_OF_FILE = 1 << 1 | 1 << 2 | 1 << 14
_NETWORK = 0b11
_SCOPES = 0b11
_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _SECCOMP_MODE_FILTER = 38, 22, 2

# Numbers of socket, execve, execveat, ptrace, process_vm_readv, process_vm_writev, io_uring_setup.
_DENIED = {
    "x86_64": (0xC000003E, (41, 59, 322, 101, 310, 311, 425)),
    "aarch64": (0xC00000B7, (198, 221, 281, 117, 270, 271, 425)),
}


def restrict(readable: Sequence[str], writable: Sequence[str]) -> tuple[str, ...]:
    """Leave this process the files that are named, no network and no other program; tells what the kernel enforces.

    Args:
        readable: files and directories; what does not exist is left out.
        writable: directories in which anything may be made.
    """
    if sys.platform != "linux":
        return ()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0):
        return ()
    enforced = []
    if _landlock(libc, readable, writable):
        enforced.append("landlock")
    if _seccomp(libc):
        enforced.append("seccomp")
    return tuple(enforced)


def _landlock(libc: ctypes.CDLL, readable: Sequence[str], writable: Sequence[str]) -> bool:
    version = libc.syscall(_CREATE_RULESET, None, 0, 1)
    if version < 1:
        return False
    rights = {1: 13, 2: 14, 3: 15, 4: 15}.get(version, 16)
    handled = (1 << rights) - 1
    attributes = struct.pack("<QQQ", handled, _NETWORK if version >= 4 else 0, _SCOPES if version >= 6 else 0)
    size = 24 if version >= 6 else 16 if version >= 4 else 8
    ruleset = libc.syscall(_CREATE_RULESET, attributes, size, 0)
    if ruleset < 0:
        return False
    try:
        for paths, allowed in ((readable, _READ), (writable, handled & ~1)):
            for path in paths:
                _allow(libc, ruleset, path, allowed & handled)
        return bool(libc.syscall(_RESTRICT_SELF, ruleset, 0) == 0)
    finally:
        os.close(ruleset)


def _allow(libc: ctypes.CDLL, ruleset: int, path: str, allowed: int) -> None:
    try:
        handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        if not os.path.isdir(path):  # noqa: PTH112 - no Path objects between here and the last call
            allowed &= _OF_FILE
        libc.syscall(_ADD_RULE, ruleset, _RULE_PATH_BENEATH, struct.pack("<Qi", allowed, handle), 0)
    finally:
        os.close(handle)


def _seccomp(libc: ctypes.CDLL) -> bool:
    """Answer EPERM to the system calls of ``_DENIED``, and to all of another architecture."""
    known = _DENIED.get(platform.machine())
    if known is None:
        return False
    architecture, numbers = known
    load, equal, answer = 0x20, 0x15, 0x06
    allow, deny = 0x7FFF0000, 0x00050000 | 1
    program = [(load, 0, 0, 4), (equal, 1, 0, architecture), (answer, 0, 0, deny), (load, 0, 0, 0)]
    for index, number in enumerate(numbers):
        program.append((equal, len(numbers) - index, 0, number))
    # x32 calls have bit 30 set and would pass as other numbers.
    program += [(0x35, 0, 1, 0x40000000), (answer, 0, 0, deny), (answer, 0, 0, allow)]
    # The jumps of the numbers lead past the check of bit 30's first two rows: to its denial.
    code = b"".join(struct.pack("<HBBI", *row) for row in program)
    buffer = ctypes.create_string_buffer(code, len(code))
    header = struct.pack("HxxxxxxP", len(program), ctypes.addressof(buffer))
    return bool(libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, header, 0, 0) == 0)
