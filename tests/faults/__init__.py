"""Faults on purpose: ``python -m tests.faults --minutes 10 --seed 1`` (``make test-faults``)."""
