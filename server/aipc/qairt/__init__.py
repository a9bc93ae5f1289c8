"""The dialogue with Qualcomm AI Runtime. The only package that imports onnxruntime and onnxruntime-qnn."""
