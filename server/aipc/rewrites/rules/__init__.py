"""The rules, one file each; see ``rewrites.rule``."""
