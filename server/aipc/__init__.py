"""AIPC: deploy PyTorch models to Snapdragon, checked by Qualcomm's own compiler."""
