"""SoCs are found by every name people use, and a wrong name is answered with near ones."""

from __future__ import annotations

import pytest

from aipc.core.errors import UnknownSoCError
from aipc.qairt.soc import all_socs, get_soc


@pytest.mark.parametrize(
    "name", ["sm8650", "SM8650", "57", "snapdragon-8-gen-3", "Snapdragon 8 Gen 3", "snapdragon_8_gen_3"]
)
def test_one_chip_has_many_names(name):
    soc = get_soc(name)
    assert (soc.part, soc.soc_id, soc.htp_arch, soc.fp16) == ("sm8650", 57, 75, "yes")


def test_part_numbers_and_ids_are_unique():
    socs = all_socs()
    assert len(socs) > 40
    assert len({soc.part for soc in socs}) == len({soc.soc_id for soc in socs}) == len(socs)
    assert {soc.htp_arch for soc in socs} >= {68, 69, 73, 75, 79, 81}


def test_an_unknown_name_is_answered_with_near_ones():
    with pytest.raises(UnknownSoCError, match=r"sm8651.*did you mean.*sm8650"):
        get_soc("sm8651")
