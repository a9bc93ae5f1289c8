"""Integers for the NPU: calibration data, statistics, and quantized graphs.

``plan`` says what is wanted, ``calibration`` reads the author's data, ``jobs`` does the work in workers and
``results`` is what the jobs return. Plans and results are light: front doors may read them.
"""
