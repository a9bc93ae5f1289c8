"""Files of the user: arrays are replaced by arrays only, and an archive that cannot be read is said to hold none."""

from __future__ import annotations

import numpy as np
import pytest

from aipc.core.errors import InputError
from aipc.core.files import check_array_output


@pytest.mark.parametrize("damage", ["none", "version", "cut", "text"])
def test_only_a_file_of_arrays_is_replaced(tmp_path, damage):
    path = tmp_path / "x.npz"
    np.savez(path, x=np.zeros(3))
    content = bytearray(path.read_bytes())
    if damage == "version":  # of the format, in the directory of the archive
        content[content.index(b"PK\x01\x02") + 6] = 173
    path.write_bytes(content[:-9] if damage == "cut" else b"notes" if damage == "text" else content)
    before = path.read_bytes()
    if damage == "none":
        check_array_output(path)
    else:
        with pytest.raises(InputError, match="holds no arrays"):
            check_array_output(path)
    assert path.read_bytes() == before
