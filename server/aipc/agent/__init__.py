"""The agent: a language model proposes edits inside hard bounds; compiler, simulator and numbers decide."""
