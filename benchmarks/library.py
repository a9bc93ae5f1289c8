"""Models of well-known packages as they are, with seeded random weights: what people bring to a deployment."""

import torch
from torch import Tensor, nn


def _seeded(name: str, package: str, **options: object) -> nn.Module:
    torch.manual_seed(0)
    if package == "timm":
        import timm

        return timm.create_model(name, **options).eval()
    import torchvision

    return torchvision.models.get_model(name, **options).eval()


def swin_tiny() -> nn.Module:
    return _seeded("swin_tiny_patch4_window7_224", "timm")


def swin_t() -> nn.Module:
    return _seeded("swin_t", "torchvision")


def maxvit_tiny() -> nn.Module:
    return _seeded("maxvit_tiny_tf_224", "timm")


def coatnet() -> nn.Module:
    return _seeded("coatnet_0_rw_224", "timm")


def deeplabv3() -> nn.Module:
    return _seeded("deeplabv3_mobilenet_v3_large", "torchvision", weights=None, weights_backbone=None)


class OpenVocabulary(nn.Module):
    """YOLO-World with the text features of eight classes kept in it; images float32[1, 3, H, W] -> the boxes."""

    def __init__(self, definition: str) -> None:
        super().__init__()
        from ultralytics.nn.tasks import WorldModel

        self.detector = WorldModel(definition, ch=3, nc=8, verbose=False)
        features = torch.randn(1, 8, 512, generator=torch.Generator().manual_seed(1))
        self.detector.txt_feats = features / features.norm(dim=-1, keepdim=True)
        self.detector.model[-1].nc = 8

    def forward(self, images: Tensor) -> Tensor:
        return self.detector(images)[0]


def yolo_world_v1() -> nn.Module:
    torch.manual_seed(0)
    return OpenVocabulary("yolov8s-world.yaml").eval()


def yolo_world_v2() -> nn.Module:
    torch.manual_seed(0)
    return OpenVocabulary("yolov8s-worldv2.yaml").eval()


class KeywordSpotter(nn.Module):
    """A short-time Fourier transform in front of convolutions; wave float32[1, 16000] -> float32[1, 10]."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("window", torch.hann_window(400))
        self.classify = nn.Sequential(
            nn.Conv1d(201, 64, kernel_size=3, padding=1), nn.ReLU(), nn.Conv1d(64, 10, kernel_size=3, padding=1)
        )

    def forward(self, wave: Tensor) -> Tensor:
        spectrum = torch.stft(wave, n_fft=400, hop_length=160, window=self.window, return_complex=True)
        return self.classify(torch.log1p(spectrum.abs())).mean(-1)


def stft() -> nn.Module:
    torch.manual_seed(0)
    return KeywordSpotter().eval()
