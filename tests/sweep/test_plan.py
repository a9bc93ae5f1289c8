"""Which cells a table has."""

from __future__ import annotations

from pathlib import Path

import pytest

from aipc.core.config import load_config
from aipc.core.errors import ConfigError, InputError
from aipc.core.sweeps import Cell, CellState
from aipc.engine.sweep.plan import cells_of, narrowed, not_applicable, selected

from .project import write_project


def cells(directory: Path, sweep: str) -> list[str]:
    write_project(directory, ("vit_a", "vit_b", "net"), sweep)
    config = load_config(directory)
    return [cell.name for cell in cells_of(config, config.sweep)]


def test_every_combination_is_a_cell_once(tmp_path: Path) -> None:
    table = 'models = ["vit_*", "*"]\nsocs = ["sm8650", "SM8750"]\nprecisions = ["fp16", "w8a16"]'
    found = cells(tmp_path, table)
    assert len(found) == len(set(found)) == 3 * 2 * 2
    assert found[0] == "vit_a-sm8650-fp16" and found[-1] == "net-sm8750-w8a16"


def test_without_a_table_each_model_has_its_own_chip_and_precision(tmp_path: Path) -> None:
    assert cells(tmp_path, "") == ["vit_a-sm8650-fp16", "vit_b-sm8650-fp16", "net-sm8650-fp16"]


def test_a_cell_is_skipped_where_all_patterns_of_an_entry_fit(tmp_path: Path) -> None:
    table = 'precisions = ["fp16", "w8a8"]\nskip = [{ model = "vit_*", precision = "w8*" }, { model = "net" }]'
    assert cells(tmp_path, table) == ["vit_a-sm8650-fp16", "vit_b-sm8650-fp16"]


@pytest.mark.parametrize(
    ("sweep", "message"),
    [
        ('models = ["vti_a"]', "vit_a"),
        ('precisions = ["fp8"]', "fp8"),
        ('skip = [{ model = "*" }]', "no cells"),
    ],
)
def test_a_table_that_names_nothing_is_an_error(sweep: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=message):
        cells(tmp_path, sweep)


@pytest.mark.parametrize(
    ("sweep", "message"),
    [
        ("modles = []", "unknown key 'modles'"),
        ('socs = "sm8650"', "wrong type"),
        ("models = [1]", "not a list of strings"),
        ("cell_seconds = 0", "not positive"),
        ("cell_seconds = true", "wrong type"),
        ('skip = [{ modle = "a" }]', "modle"),
        ("skip = [{ model = 1 }]", "skip"),
    ],
)
def test_a_malformed_table_is_an_error(sweep: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=message):
        cells(tmp_path, sweep)


def test_fp16_does_not_apply_to_a_chip_without_it() -> None:
    result = not_applicable(Cell(model="m", soc="qcs6490", precision="fp16"))
    assert result and result.state is CellState.NOT_APPLICABLE
    assert not_applicable(Cell(model="m", soc="qcs6490", precision="w8a16")) is None
    assert not_applicable(Cell(model="m", soc="sm8650", precision="fp16")) is None


def test_a_request_stands_above_the_table(tmp_path: Path) -> None:
    write_project(tmp_path, ("a", "b"), 'models = ["a"]\nsocs = ["sm8650"]')
    config = load_config(tmp_path)
    table = narrowed(config.sweep, models=["b"], precisions=["w8a16"])
    assert [cell.name for cell in cells_of(config, table)] == ["b-sm8650-w8a16"]
    everything = cells_of(config, config.sweep)
    assert selected(everything, ["a*"]) == everything
    with pytest.raises(InputError):
        selected(everything, ["b"])
