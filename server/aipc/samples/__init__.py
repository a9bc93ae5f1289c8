"""Minimal programs that run a package in an application: one file a language, its template in ``templates/``."""
