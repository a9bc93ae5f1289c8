"""The as-you-type tier: what the measured operator matrix says of calls that can be read from the text alone. Light."""

from .check import lint

__all__ = ["lint"]
