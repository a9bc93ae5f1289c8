"""Errors of asking a language model."""

from __future__ import annotations

from aipc.core.errors import AipcError


class LanguageModelError(AipcError):
    """The endpoint cannot be asked, or gave no reply. What was learned until then is kept in the trace."""


class LostReplyError(LanguageModelError):
    """A request went out and its reply did not come back whole: it may have been served and counted."""


class PromptTooLongError(LanguageModelError):
    """The conversation does not fit the model."""
