"""The lock on a phone: a directory there, and a script that holds it for as long as our connection lives.

The phone ends the script when the cable is pulled, the host dies or the phone restarts, so that the lock goes with its
holder. What a restart leaves behind is recognized by the boot's number and the script's process.
"""

from __future__ import annotations

import json
from dataclasses import asdict

from ._adb_link import Link, RunningScript
from .base import DeviceError, Holder, Owner

# $1 lock directory, $2 our token, $3 our words (JSON), $4 token of the stale lock to break or "".
_TAKE = """
lock=$1; token=$2; words=$3; broken=$4
boot=$(cat /proc/sys/kernel/random/boot_id 2>/dev/null || echo unknown)
mkdir -p "${lock%/*}" || exit 1
if [ -n "$broken" ] && mkdir "$lock.breaking.$boot" 2>/dev/null; then
  there=$(cat "$lock/token" 2>/dev/null)
  if [ "${there:-none}" = "$broken" ]; then rm -rf "$lock"; fi
  rmdir "$lock.breaking.$boot"
fi
if mkdir "$lock" 2>/dev/null; then
  give_back() { [ "$(cat "$lock/token" 2>/dev/null)" = "$token" ] && rm -rf "$lock"; }
  trap give_back EXIT
  trap 'exit 1' HUP INT TERM PIPE
  printf '%s' "$token" > "$lock/token" && printf '%s' "$words" > "$lock/owner" || exit 1
  echo "$boot $$" > "$lock/alive" || exit 1
  echo locked
  cat > /dev/null
  exit 0
fi
now=$(date +%s); since=$(stat -c %Y "$lock" 2>/dev/null || echo "$now")
there=$(cat "$lock/token" 2>/dev/null)
alive=unknown
if [ -f "$lock/alive" ]; then
  read -r its_boot its_process < "$lock/alive"
  if [ "$its_boot" = "$boot" ] && kill -0 "$its_process" 2>/dev/null; then alive=yes; else alive=no; fi
fi
echo taken; echo "$((now - since))"; echo "$alive"; echo "${there:-none}"; cat "$lock/owner" 2>/dev/null; echo
"""
_GIVE_BACK = 'if [ "$(cat "$1/token" 2>/dev/null)" = "$2" ]; then rm -rf "$1"; fi'


class PhoneLock:
    def __init__(self, link: Link, place: str) -> None:
        self._link, self._place = link, place
        self._script: RunningScript | None = None

    def take(self, owner: Owner, break_token: str) -> Holder | None:
        """None when the phone is ours now, else who has it."""
        lease = self._link.hold(_TAKE, self._place, owner.token, json.dumps(asdict(owner)), break_token)
        answer = lease.line()
        if answer == "locked":
            self._script = lease
            return None
        try:
            if answer != "taken":
                raise DeviceError(
                    f"the lock {self._place} cannot be made on the phone",
                    remedy='give a directory that its shell may write: directory in [tool.aipc.targets."adb:…"]',
                )
            age, alive, token, description = (lease.line() for _ in range(4))
        finally:
            lease.close()
        seconds = float(age) if age.lstrip("-").isdigit() else 0.0
        return Holder(_owner(description, token), seconds, seconds, {"yes": True, "no": False}.get(alive))

    def give_back(self, owner: Owner) -> None:
        """Give the phone back, if it is still ours."""
        try:
            self._link.run(_GIVE_BACK, self._place, owner.token)
        finally:
            self.close()

    def close(self) -> None:
        if self._script is not None:
            self._script.close()
            self._script = None


def _owner(description: str, token: str) -> Owner:
    """Who wrote the lock; what lies on the phone is data of others and may be anything."""
    try:
        data = json.loads(description)
        return Owner(str(data["who"])[:80], int(data["pid"]), token)
    except (ValueError, KeyError, TypeError):
        return Owner("somebody", 0, token)
