"""C++17 with onnxruntime's C API. Built with a compiler alone: ``onnxruntime_subset.h`` stands in for its header."""

from .sample import Language


def quote(text: str) -> str:
    """A literal of UTF-8 bytes. ``\\u`` escapes are no choice: C++17 forbids them for control characters."""
    plain = set(range(32, 127)) - set(b'"\\?')  # ? begins a trigraph
    return '"' + "".join(chr(byte) if byte in plain else f"\\{byte:03o}" for byte in text.encode()) + '"'


LANGUAGE = Language(
    quote=quote,
    templates={
        "sample.cpp.j2": "sample.cpp",
        "onnxruntime_subset.h.j2": "onnxruntime_subset.h",
        "CMakeLists.txt.j2": "CMakeLists.txt",
        "README.cpp.md.j2": "README.md",
    },
)
