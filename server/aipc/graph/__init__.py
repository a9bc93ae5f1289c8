"""ONNX graphs as data: cut out, indexed, compared, searched. Nothing here runs a graph or asks QAIRT."""
