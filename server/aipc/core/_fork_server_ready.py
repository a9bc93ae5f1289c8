"""What the fork server imports last."""

from ._fork_server import imported

imported()
