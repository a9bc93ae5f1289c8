"""One file a tool, found by walking this folder. Files that begin with ``_`` are helpers."""
