"""Probes: input sets made from what each input of a model is, on which the model and its package are judged.

``roles.py`` reads from the graph what an input is, ``kinds/`` has one file for each kind of input, ``candidates.py``
makes input sets of them, ``jobs.py`` runs PyTorch and the graph on them in a worker.
"""
