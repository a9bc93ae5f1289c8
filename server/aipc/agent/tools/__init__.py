"""The tools that the model gets, one file each; see ``_tool``."""
