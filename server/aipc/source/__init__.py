"""The text of Python files: its lines and its columns, counted in one way everywhere."""

from .lines import line_starts, newline_of, split_lines
from .positions import code_points_before

__all__ = ["code_points_before", "line_starts", "newline_of", "split_lines"]
