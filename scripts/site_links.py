"""For the site of the documentation: links that leave docs/ lead to the repository, and to a file that there is."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
_LINK = re.compile(r"\]\(((?:\.\./)+[^)\s#]+)(#[^)\s]*)?\)")


def on_page_markdown(text: str, *, page: Any, config: Any, **_: Any) -> str:
    """Called by MkDocs for each page, with its Markdown.

    Raises:
        FileNotFoundError: a link leads to no file.
    """
    folder = Path(page.file.abs_src_path).parent
    docs = Path(config["docs_dir"])

    def outside(match: re.Match[str]) -> str:
        path = (folder / match[1]).resolve()
        if path.is_relative_to(docs):
            return match[0]
        if not path.exists():
            raise FileNotFoundError(f"{page.file.src_path} links to {match[1]}, which there is not")
        return f"]({config['repo_url']}/blob/main/{path.relative_to(ROOT).as_posix()}{match[2] or ''})"

    return _LINK.sub(outside, text)
