"""Applications: several graphs, the tensors between them, state that stays, and host code, deployed as one package."""
