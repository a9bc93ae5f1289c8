"""One document, however a client spells its URI."""

from __future__ import annotations

from pathlib import Path

import pytest
from lsprotocol import types as lsp

from aipc.lsp.uris import local_path, to_path, to_uri, uri_key
from aipc.lsp.workspace import Documents

SAME = [
    ("file:///a%20b/c%2Bd.py", "file:///a b/c+d.py"),
    ("file:///c%3A/Users/net.py", "file:///C:/Users/net.py"),
    ("file:///%C3%A9/%F0%9F%98%80.py", "file:///é/😀.py"),
    ("file://localhost/a.py", "file:///a.py"),
]


@pytest.mark.parametrize("pair", SAME)
def test_spellings_of_one_uri_are_equal(pair):
    assert uri_key(pair[0]) == uri_key(pair[1])


def test_other_files_stay_other_files():
    names = ["a.py", "A.py", "a%2525.py", "a%25.py", "b/a.py"]
    assert len({uri_key(f"file:///{name}") for name in names}) == len(names)
    assert uri_key("file://server/C:/a.py") != uri_key("file://server/c:/a.py")


@pytest.mark.parametrize("name", ["a b.py", "é+;.py", "😀.py", "50%.py", "#?&=.py", "a%20b.py"])
def test_a_path_comes_back_from_its_uri_and_an_open_file_is_found(name):
    path = Path("/tmp/a+b", name)
    assert to_path(to_uri(path)) == local_path(to_uri(path)) == path
    documents = Documents(None)
    # As VS Code spells it: more is escaped than by Python.
    uri = to_uri(path).replace("+", "%2B").replace(";", "%3B").replace("&", "%26").replace("=", "%3D")
    documents.put_text_document(lsp.TextDocumentItem(uri, lsp.LanguageKind.Python, 1, "x"))
    document = documents.open_document(to_uri(path))
    assert document is not None
    assert document.source == "x"
    assert documents.uri_of(str(path)) == uri
    documents.remove_text_document(to_uri(path))
    assert documents.open_document(uri) is None


@pytest.mark.parametrize("uri", ["untitled:Untitled-1", "http://host/a.py", "git:/a.py?{}", "", "a.py", "http://[x"])
def test_a_document_in_no_file_has_no_path(uri):
    assert local_path(uri) is None
