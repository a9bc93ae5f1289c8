"""One feature of the server a file, each with ``register(server)``."""
