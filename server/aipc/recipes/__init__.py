"""Recipes: one file a family of library models, each turning an object of it into the static graphs of an application.

They run in workers and import PyTorch. What other parts may know of an application is plain data (``apps/plan.py``).
"""
