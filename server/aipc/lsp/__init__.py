"""The language server: findings while you write. Thin over the engine; imports nothing heavy."""
