"""One kind of fault a file, each with a ``KIND``."""
