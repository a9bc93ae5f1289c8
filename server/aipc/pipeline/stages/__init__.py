"""The stages of deploy, one file each; see ``pipeline.stage``."""
