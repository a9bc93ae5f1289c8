"""Calibration: the data, and what was seen of every tensor on it."""
