"""The way from a model to a verified package: stages, each with a gate, each cached and journaled."""
