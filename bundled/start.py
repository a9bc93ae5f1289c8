"""Start the language server from the extension, with the interpreter that has the user's PyTorch.

Our libraries come first in this process. In the workers, where the user's code runs, they come last: there the user's
own versions are the right ones.
"""

import gc
import os
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent

# The folder of this script, which Python puts first: nothing in it is to be imported.
sys.path[0] = str(HERE / "server")
sys.path.insert(1, str(HERE / "libs"))
os.environ["AIPC_LIBRARIES"] = str(HERE / "libs")
# Every process that we start runs this very version, also where another one is installed.
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (str(HERE / "server"), os.environ.get("PYTHONPATH"))))

if __name__ == "__main__":
    # The thousands of classes of the protocol are no garbage.
    gc.disable()
    from aipc.lsp.start import serve

    serve()
