"""What a deployment tries by itself where a stage fails, one file a remedy; see ``pipeline.remedy``."""
