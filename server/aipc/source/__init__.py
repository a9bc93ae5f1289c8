"""The text of Python files: lines and columns, syntax trees, names, edits. One way to read them for everybody."""

from .lines import line_starts, newline_of, split_lines
from .positions import code_points_before

__all__ = ["code_points_before", "line_starts", "newline_of", "split_lines"]
