"""The open documents: with lines as the protocol counts them, and the same document for every spelling of its URI."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lsprotocol import types as lsp
from pygls.protocol import LanguageServerProtocol
from pygls.workspace import TextDocument, Workspace

from aipc.source import split_lines

from .uris import to_uri, uri_key


class EditorDocument(TextDocument):
    """A document whose lines end where the client's do: pygls' also end at form feeds and at U+2028."""

    @property
    def lines(self) -> Sequence[str]:
        return split_lines(self.source, keepends=True)


class Documents(Workspace):
    """pygls' workspace, with documents found by what their URI names."""

    def _create_text_document(
        self, doc_uri: str, source: str | None = None, version: int | None = None, language_id: str | None = None
    ) -> EditorDocument:
        return EditorDocument(doc_uri, source, version, language_id, True, self._sync_kind, self._position_codec)

    def open_document(self, uri: str) -> TextDocument | None:
        """The document of a URI, if a client has it open."""
        return self._text_documents.get(uri_key(uri))

    def open_documents(self) -> Mapping[str, TextDocument]:
        """Every document that a client has open, by the key of its URI."""
        return self._text_documents

    def uri_of(self, file: str) -> str:
        """A file's URI as the client spells it, if it has it open."""
        uri = to_uri(file)
        document = self.open_document(uri)
        return document.uri if document else uri

    def get_text_document(self, doc_uri: str) -> TextDocument:
        return self.open_document(doc_uri) or self._create_text_document(doc_uri)

    def put_text_document(self, text_document: lsp.TextDocumentItem, notebook_uri: str | None = None) -> None:
        item = text_document
        document = self._create_text_document(item.uri, item.text, item.version, str(item.language_id))
        self._text_documents[uri_key(item.uri)] = document

    def remove_text_document(self, doc_uri: str) -> None:
        self._text_documents.pop(uri_key(doc_uri), None)

    def update_text_document(
        self, text_doc: lsp.VersionedTextDocumentIdentifier, change: lsp.TextDocumentContentChangeEvent
    ) -> None:
        if document := self.open_document(text_doc.uri):
            document.apply_change(change)
            document.version = text_doc.version


class Protocol(LanguageServerProtocol):
    """pygls' protocol with our documents."""

    def use_documents(self) -> None:
        """Put our documents in the place of pygls' workspace, once the client has said what it wants."""
        folder = self.workspace
        sync, folders = self._server._text_document_sync_kind, list(folder.folders.values())
        self._workspace = Documents(folder.root_uri, sync, folders, folder.position_encoding)
