"""A task metric over labelled data, of PyTorch and of a package side by side. ``metrics/`` has one file a metric."""
