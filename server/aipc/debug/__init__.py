"""Where a graph goes wrong on the NPU: the nodes, the first tensor, whose error it is, the smallest part that fails."""
