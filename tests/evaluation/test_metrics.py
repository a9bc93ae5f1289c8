"""Each ready metric gives the figure that its definition gives, by hand or by another library."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from aipc.core.errors import InputError
from aipc.evaluation.metrics import get_metric, metric_names
from aipc.evaluation.scoring import _wilson


def figure(name: str, pairs: list[tuple[Any, Any]]) -> float:
    metric = get_metric(name)
    return metric.total([metric.statistic(outputs, target) for outputs, target in pairs])


def logits(*values: float) -> dict[str, Any]:
    return {"logits": np.array([values], np.float32)}


def test_every_metric_of_the_folder_is_ready() -> None:
    assert metric_names() == ("map", "miou", "perplexity", "psnr", "ssim", "top-1", "top-5", "wer")
    assert all(get_metric(name).name == name for name in metric_names())


def test_top_1_and_top_5_count_classes_with_larger_values() -> None:
    row = logits(5, 4, 3, 2, 1, 0, -1)
    pairs = [(row, 0), (row, 1), (row, np.array([4])), (row, 5)]
    assert figure("top-1", pairs) == 0.25
    assert figure("top-5", pairs) == 0.75
    with pytest.raises(InputError, match="the target 7 is no class of an output with 7"):
        figure("top-1", [(row, 7)])


def test_psnr_is_of_the_target_s_peak() -> None:
    target = np.zeros((1, 8, 8))
    target[0, 0, 0] = 1.0
    assert figure("psnr", [({"y": target[None] + 0.1}, target)]) == pytest.approx(20.0)
    assert figure("psnr", [({"y": 255 * target[None] + 25.5}, 255 * target)]) == pytest.approx(20.0)
    assert figure("psnr", [({"y": target[None]}, target)]) == 100.0


def test_ssim_is_scikit_image_s() -> None:
    from skimage.metrics import structural_similarity

    rng = np.random.default_rng(0)
    target = rng.random((1, 32, 32))
    picture = np.clip(target + 0.1 * rng.standard_normal(target.shape), 0, 1)
    theirs = structural_similarity(
        target[0], picture[0], data_range=1.0, gaussian_weights=True, sigma=1.5, use_sample_covariance=False
    )
    assert figure("ssim", [({"y": picture[None]}, target)]) == pytest.approx(theirs, abs=0.02)


def test_miou_is_of_all_pixels_together_and_leaves_255_out() -> None:
    maps = {"classes": np.array([[[0, 0], [1, 1]]])}
    # Class 0: 1 of 2; class 1: 2 of 3; the pixel of 255 would have been wrong.
    assert figure("miou", [(maps, np.array([[0, 1], [1, 1]]))]) == pytest.approx((1 / 2 + 2 / 3) / 2)
    assert figure("miou", [(maps, np.array([[0, 255], [1, 1]]))]) == 1.0
    one_hot = {"logits": np.eye(2)[maps["classes"][0]].transpose(2, 0, 1)[None]}
    assert figure("miou", [(one_hot, np.array([[0, 1], [1, 1]]))]) == pytest.approx((1 / 2 + 2 / 3) / 2)


def test_map_is_one_for_the_right_boxes_in_both_forms_and_falls_with_them() -> None:
    target = {"boxes": np.array([[10.0, 10, 50, 50], [60, 60, 90, 80]]), "labels": np.array([0, 1])}
    right = {"boxes": target["boxes"], "scores": np.array([0.9, 0.8]), "labels": target["labels"]}
    centres = [[30, 30, 40, 40, 0.9, 0.0], [75, 70, 30, 20, 0.0, 0.8], [30, 30, 40, 40, 0.7, 0.0]]
    rows = np.zeros((6, 20))
    rows[:, :3] = np.array(centres).T
    assert figure("map", [(right, target)]) == pytest.approx(1.0)
    assert figure("map", [({"output": rows[None]}, target)]) == pytest.approx(1.0), "the overlapping box is suppressed"
    assert figure("map", [({**right, "labels": np.array([0, 0])}, target)]) == pytest.approx(0.5)
    corners = {
        "boxes": np.array([[[10, 10, 50, 50], [11, 10, 50, 50], [60, 60, 90, 80]]]),
        "scores": np.array([[[0.9, 0.0], [0.7, 0.0], [0.0, 0.8]]]),
    }
    assert figure("map", [(corners, target)]) == pytest.approx(1.0), "so are those with the scores of all classes"
    one_class = {"boxes": corners["boxes"][:, :2], "scores": np.array([[[0.7], [0.9]]])}
    assert len(get_metric("map").statistic(one_class, target)[0]["boxes"]) == 1


@pytest.mark.parametrize(
    "outputs",
    [
        {"boxes": np.zeros((1, 5, 4)), "scores": np.zeros((1, 4, 3))},
        {"boxes": np.zeros((5, 4)), "scores": np.zeros(5), "labels": np.zeros(4)},
        {"logits": np.zeros((1, 1000))},
        np.zeros((3, 6)),
    ],
)
def test_outputs_that_are_no_boxes_are_refused(outputs: Any) -> None:
    target = {"boxes": np.zeros((0, 4)), "labels": np.zeros(0)}
    with pytest.raises(InputError) as caught:
        get_metric("map").statistic(outputs, target)
    assert "--decode" in caught.value.remedy


def test_wer_is_errors_over_the_words_of_all_targets() -> None:
    pairs = [("the cat sat", "the cat sat"), ("a dog", "the dog ran")]
    assert figure("wer", pairs) == pytest.approx(2 / 6)
    assert not get_metric("wer").more_is_better
    with pytest.raises(InputError, match="wer compares texts"):
        figure("wer", [({"y": np.zeros(1)}, "a")])


def test_perplexity_of_equal_logits_is_the_size_of_the_vocabulary() -> None:
    assert figure("perplexity", [({"y": np.zeros((1, 3, 7))}, np.array([1, 2, 3]))]) == pytest.approx(7.0)
    certain = np.full((1, 2, 3), -50.0)
    certain[0, 0, 1] = 50
    assert figure("perplexity", [({"y": certain}, np.array([1, -100]))]) == pytest.approx(1.0)


def test_the_interval_of_a_share_is_wilson_s() -> None:
    low, high = _wilson(1.0, 10)  # Wilson 1927: 10 of 10 gives 0.722 to 1
    assert (round(low, 3), round(high, 9)) == (0.722, 1.0)
    low, high = _wilson(0.5, 100)
    assert (round(low, 3), round(high, 3)) == (0.404, 0.596)
    assert math.isclose(sum(_wilson(0.3, 50)), 2 - sum(_wilson(0.7, 50)))
