from torch import nn


class Model(nn.Module):
    """Takes three arguments, of which nothing is known."""

    def __init__(self):
        super().__init__()
        self.state = nn.Linear(8, 4)
        self.memory = nn.Linear(6, 4)

    def forward(self, state, memory, mask):
        return self.state(state) + (self.memory(memory) * mask.unsqueeze(-1)).mean(1)
