"""Deploy models x chips x precisions from one table, on this machine or on Dask; an interrupted sweep goes on."""

from .comparing import read_sweep
from .sweeping import SweepRequest, run_sweep

__all__ = ["SweepRequest", "read_sweep", "run_sweep"]
