"""From a PyTorch model and example inputs to ONNX with a source map. Runs in workers only."""
