"""One file for each kind of input; each defines ``KIND``."""
