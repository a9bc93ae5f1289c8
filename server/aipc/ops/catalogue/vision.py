"""torchvision.ops."""

from __future__ import annotations

from collections.abc import Iterator

import torch
import torchvision.ops as ops

from ._case import Case, case, layer, within, x

_ROIS = torch.tensor([[0.0, 1.0, 2.0, 7.0, 9.0], [0.0, 0.0, 0.0, 4.0, 4.0], [0.0, 3.0, 1.0, 11.0, 8.0]])


def cases() -> Iterator[Case]:
    image = x(1, 6, 12, 14)
    boxes = within(0, 5, 8, 2)
    for aligned in (False, True):
        for ratio in (2, -1):
            yield case(
                "tv.roi_align tv.RoIAlign",
                lambda a, k=aligned, r=ratio: ops.roi_align(a, _ROIS, 4, sampling_ratio=r, aligned=k),
                image,
                aligned=aligned,
                sampling_ratio=ratio,
            )
    yield case("tv.roi_pool tv.RoIPool", lambda a: ops.roi_pool(a, _ROIS, 4), image)
    yield case("tv.ps_roi_align tv.PSRoIAlign", lambda a: ops.ps_roi_align(a, _ROIS, 2), x(1, 8, 12, 14))
    yield case("tv.ps_roi_pool tv.PSRoIPool", lambda a: ops.ps_roi_pool(a, _ROIS, 2), x(1, 8, 12, 14))
    yield case("tv.nms", lambda b, s: ops.nms(torch.cat([b, b + 3], 1), s, 0.5), boxes, within(0, 1, 8))
    yield case(
        "tv.batched_nms",
        lambda b, s: ops.batched_nms(torch.cat([b, b + 3], 1), s, torch.zeros(8, dtype=torch.int64), 0.5),
        boxes,
        within(0, 1, 8),
    )
    yield case(
        "tv.deform_conv2d tv.DeformConv2d",
        lambda a, o, w: ops.deform_conv2d(a, o, w, padding=1),
        image,
        within(-1, 1, 1, 18, 12, 14),
        x(5, 6, 3, 3),
        mask=None,
    )
    yield case(
        "tv.deform_conv2d tv.DeformConv2d",
        lambda a, o, w, m: ops.deform_conv2d(a, o, w, padding=1, mask=m),
        image,
        within(-1, 1, 1, 18, 12, 14),
        x(5, 6, 3, 3),
        within(0, 1, 1, 9, 12, 14),
        mask="tensor",
    )
    yield case("tv.box_iou", lambda a, b: ops.box_iou(torch.cat([a, a + 3], 1), torch.cat([b, b + 3], 1)), boxes, boxes)
    yield case(
        "tv.generalized_box_iou",
        lambda a, b: ops.generalized_box_iou(torch.cat([a, a + 3], 1), torch.cat([b, b + 3], 1)),
        boxes,
        boxes,
    )
    yield case(
        "tv.complete_box_iou",
        lambda a, b: ops.complete_box_iou(torch.cat([a, a + 3], 1), torch.cat([b, b + 3], 1)),
        boxes,
        boxes,
    )
    yield case(
        "tv.distance_box_iou",
        lambda a, b: ops.distance_box_iou(torch.cat([a, a + 3], 1), torch.cat([b, b + 3], 1)),
        boxes,
        boxes,
    )
    yield case("tv.box_area", lambda a: ops.box_area(torch.cat([a, a + 3], 1)), boxes)
    for source, target in (("xyxy", "cxcywh"), ("cxcywh", "xyxy"), ("xywh", "xyxy")):
        yield case(
            "tv.box_convert",
            lambda a, s=source, t=target: ops.box_convert(a, s, t),
            within(0.5, 5, 8, 4),
            in_fmt=source,
            out_fmt=target,
        )
    yield case("tv.clip_boxes_to_image", lambda a: ops.clip_boxes_to_image(a, (4, 3)), within(0, 5, 8, 4))
    yield case("tv.remove_small_boxes", lambda a: ops.remove_small_boxes(torch.cat([a, a + 3], 1), 1.0), boxes)
    yield case("tv.sigmoid_focal_loss", lambda a, b: ops.sigmoid_focal_loss(a, b), x(6, 20), within(0, 1, 6, 20))
    yield layer("tv.SqueezeExcitation", lambda: ops.SqueezeExcitation(6, 3), image)
    yield layer("tv.Conv2dNormActivation", lambda: ops.Conv2dNormActivation(6, 8), image)
    yield layer("tv.FrozenBatchNorm2d", lambda: ops.FrozenBatchNorm2d(6), image)
    yield layer("tv.Permute", lambda: ops.Permute([0, 2, 3, 1]), image)
    yield layer(
        "tv.StochasticDepth tv.stochastic_depth", lambda: ops.StochasticDepth(0.5, "row"), image, training=False
    )
    yield layer("tv.DropBlock2d tv.drop_block2d", lambda: ops.DropBlock2d(0.5, 3), image, training=False)
    yield layer("tv.MLP", lambda: ops.MLP(8, [16, 4]), x(6, 8))
