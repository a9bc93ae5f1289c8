"""Python with onnxruntime and onnxruntime-qnn."""

from .sample import Language

LANGUAGE = Language(quote=ascii, templates={"sample.py.j2": "sample.py", "README.python.md.j2": "README.md"})
