"""The zoo: ordinary models of installed packages, as their users build them, with seeded random weights.

``ENTRIES`` names them by kind. Each is a factory of this module, called as its entry with ``-`` as ``_``, beside
``NAME_inputs``. Transformers have the width of a published model and two or three of its layers.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

Inputs = tuple[Tensor, ...] | dict[str, Tensor]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """``kind`` is what the model is for; ``build`` and ``inputs`` are called in the worker."""

    kind: str
    build: Callable[[], nn.Module]
    inputs: Callable[[], Inputs]


ENTRIES: dict[str, Entry] = {}


def add(name: str, kind: str, build: Callable[[], nn.Module], inputs: Callable[[], Inputs]) -> None:
    """Enter a model, and make its factories attributes of this module."""
    ENTRIES[name] = Entry(kind=kind, build=build, inputs=inputs)
    identifier = name.replace("-", "_").replace(".", "_")

    def factory() -> nn.Module:
        torch.manual_seed(0)
        return build().eval()

    globals()[identifier] = factory
    globals()[f"{identifier}_inputs"] = inputs


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def integers(high: int, *shape: int, seed: int = 0) -> Tensor:
    return torch.randint(0, high, shape, generator=torch.Generator().manual_seed(seed))


def tensors(*shapes: tuple[int, ...]) -> Callable[[], Inputs]:
    return lambda: tuple(random(*shape, seed=seed) for seed, shape in enumerate(shapes))


def image(size: int, batch: int = 1) -> Callable[[], Inputs]:
    return tensors((batch, 3, size, size))


# --- classification, timm


def timm_model(name: str, **options: Any) -> nn.Module:
    import timm

    return timm.create_model(name, **options)


CONVOLUTIONAL = (
    "resnet18 resnet10t resnet50 seresnext26d_32x4d ecaresnet26t skresnet18 resnest14d res2net50_26w_4s regnetx_002 "
    "regnety_002 mobilenetv2_100 mobilenetv3_small_100 mobilenetv4_conv_small mobilenet_edgetpu_100 efficientnet_b0 "
    "tf_efficientnetv2_b0 ghostnet_100 ghostnetv3_050 mnasnet_small semnasnet_050 fbnetc_100 hardcorenas_a tinynet_e "
    "lcnet_050 mobileone_s0 repghostnet_050 repvgg_a0 rexnet_100 hrnet_w18_small dla34 densenet121 dpn48b selecsls42 "
    "cspresnet50 gernet_s vovnet39a convnext_atto convnextv2_atto inception_next_atto starnet_s050 mambaout_femto "
    "fasternet_t0 hgnetv2_b0 nf_resnet26 vgg11 xception41 inception_v3"
)
ATTENTION = {
    "vit_tiny_patch16_224": 224,
    "deit_tiny_patch16_224": 224,
    "deit3_small_patch16_224": 224,
    "cait_xxs24_224": 224,
    "xcit_nano_12_p16_224": 224,
    "crossvit_tiny_240": 240,
    "coat_lite_tiny": 224,
    "pit_ti_224": 224,
    "pvt_v2_b0": 224,
    "twins_svt_small": 224,
    "swin_tiny_patch4_window7_224": 224,
    "swinv2_cr_tiny_ns_224": 224,
    "mobilevit_xxs": 256,
    "mobilevitv2_050": 256,
    "edgenext_xx_small": 256,
    "efficientformerv2_s0": 224,
    "efficientvit_b0": 224,
    "fastvit_t8": 256,
    "poolformer_s12": 224,
    "caformer_s18": 224,
    "levit_128s": 224,
    "visformer_tiny": 224,
    "tiny_vit_5m_224": 224,
    "gcvit_xxtiny": 224,
    "focalnet_tiny_srf": 224,
    "davit_tiny": 224,
    "mvitv2_tiny": 224,
    "hiera_tiny_224": 224,
    "eva02_tiny_patch14_224": 224,
    "beit_base_patch16_224": 224,
    "maxvit_nano_rw_256": 256,
    "coatnet_nano_rw_224": 224,
    "botnet26t_256": 256,
    "halonet26t": 256,
    "lambda_resnet26t": 256,
    "mixer_s32_224": 224,
    "resmlp_12_224": 224,
    "gmlp_ti16_224": 224,
    "sequencer2d_s": 224,
    "convmixer_768_32": 224,
    "shvit_s1": 224,
    "swiftformer_xs": 224,
    "repvit_m0_9": 224,
}
for _name in CONVOLUTIONAL.split():
    add(_name, "classification", functools.partial(timm_model, _name), image(299 if _name == "inception_v3" else 128))
for _name, _size in ATTENTION.items():
    add(_name, "classification", functools.partial(timm_model, _name), image(_size))


# --- segmentation, video, flow, torchvision


class Only(nn.Module):
    """One entry of what a model returns."""

    def __init__(self, model: nn.Module, key: Any) -> None:
        super().__init__()
        self.model, self.key = model, key

    def forward(self, *inputs: Tensor) -> Tensor:
        return self.model(*inputs)[self.key]


def torchvision_model(name: str, **options: Any) -> nn.Module:
    import torchvision

    return torchvision.models.get_model(name, weights=None, **options)


def torchvision_backbone(name: str) -> nn.Module:
    return torchvision_model(name, weights_backbone=None)


for _name in ("shufflenet_v2_x0_5", "squeezenet1_1", "googlenet", "vit_b_32"):
    _options = {"init_weights": False} if _name == "googlenet" else {}
    add(_name, "classification", functools.partial(torchvision_model, _name, **_options), image(224))
for _name in ("deeplabv3_mobilenet_v3_large", "lraspp_mobilenet_v3_large", "fcn_resnet50"):
    add(_name, "segmentation", functools.partial(torchvision_backbone, _name), image(128))
for _name in ("r3d_18", "mc3_18", "r2plus1d_18", "s3d"):
    _shape = (1, 3, 16, 128, 128) if _name == "s3d" else (1, 3, 8, 64, 64)
    add(_name, "video", functools.partial(torchvision_model, _name), tensors(_shape))
for _name in ("swin3d_t", "mvit_v2_s"):
    _shape = (1, 3, 16, 224, 224) if _name == "mvit_v2_s" else (1, 3, 8, 112, 112)
    add(_name, "video", functools.partial(torchvision_model, _name), tensors(_shape))
add("raft-small", "flow", lambda: Only(torchvision_model("raft_small"), -1), tensors(*[(1, 3, 128, 128)] * 2))
for _name in ("ssdlite320_mobilenet_v3_large", "retinanet_resnet50_fpn", "fasterrcnn_mobilenet_v3_large_320_fpn"):
    add(_name, "detection with its tail", functools.partial(torchvision_backbone, _name), image(320))


def torchvision_part(name: str) -> nn.Module:
    """The backbone and heads of a detector, without its own transform and tail."""
    model = torchvision_backbone(name)

    class Dense(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.backbone, self.head = model.backbone, model.head

        def forward(self, images: Tensor) -> dict[str, Tensor]:
            return self.head(list(self.backbone(images).values()))

    return Dense()


add("ssdlite320-dense", "detection", lambda: torchvision_part("ssdlite320_mobilenet_v3_large"), image(320))
add("retinanet-dense", "detection", lambda: torchvision_part("retinanet_resnet50_fpn"), image(192))


# --- detection, segmentation, pose, ultralytics


def ultralytics_model(definition: str) -> nn.Module:
    from ultralytics import YOLO

    model = YOLO(definition, verbose=False).model
    settle_batch_norms(model, random(2, 3, 192, 192))
    return model


def settle_batch_norms(model: nn.Module, images: Tensor) -> None:
    """Statistics of one batch: without any, 60 layers of random weights end in numbers below fp16's smallest."""
    for item in model.modules():
        if isinstance(item, nn.BatchNorm2d):
            item.momentum = None
    with torch.no_grad():
        model.train()(images)
    model.eval()


for _name, _kind in (
    ("yolov5n", "detection"),
    ("yolov8n", "detection"),
    ("yolov9t", "detection"),
    ("yolov10n", "detection"),
    ("yolo11n", "detection"),
    ("yolo12n", "detection"),
    ("yolov8n-seg", "segmentation"),
    ("yolo11n-seg", "segmentation"),
    ("yolov8n-pose", "pose"),
    ("yolo11n-pose", "pose"),
    ("yolov8n-obb", "detection"),
    ("yolov8n-cls", "classification"),
):
    add(_name, _kind, functools.partial(ultralytics_model, f"{_name}.yaml"), image(192))


# --- transformers


def pretrained(model: str, configuration: str, **options: Any) -> nn.Module:
    """A model class of transformers with a configuration's defaults and the options."""
    import transformers

    return getattr(transformers, model)(getattr(transformers, configuration)(**options))


def text(vocabulary: int, length: int = 32, *, mask: bool = True) -> Callable[[], Inputs]:
    def inputs() -> Inputs:
        ids = {"input_ids": integers(vocabulary, 1, length)}
        return ids | ({"attention_mask": torch.ones(1, length, dtype=torch.int64)} if mask else {})

    return inputs


def pixels(size: int, name: str = "pixel_values") -> Callable[[], Inputs]:
    return lambda: {name: random(1, 3, size, size)}


_TWO = {"num_hidden_layers": 2}
for _name, _model, _config, _options in (
    ("bert", "BertModel", "BertConfig", {}),
    ("bert-classifier", "BertForSequenceClassification", "BertConfig", {}),
    ("roberta", "RobertaModel", "RobertaConfig", {}),
    ("albert", "AlbertModel", "AlbertConfig", {}),
    ("electra", "ElectraModel", "ElectraConfig", {}),
    ("mobilebert", "MobileBertModel", "MobileBertConfig", {}),
    ("mpnet", "MPNetModel", "MPNetConfig", {}),
    ("deberta-v2", "DebertaV2Model", "DebertaV2Config", {"hidden_size": 768, "num_attention_heads": 12}),
    ("modernbert", "ModernBertModel", "ModernBertConfig", {"vocab_size": 8000, "pad_token_id": 0}),
    ("squeezebert", "SqueezeBertModel", "SqueezeBertConfig", {}),
    ("fnet", "FNetModel", "FNetConfig", {}),
):
    _text = text(8000, mask=_name != "fnet")
    add(_name, "text encoder", functools.partial(pretrained, _model, _config, **{**_TWO, **_options}), _text)
add("distilbert", "text encoder", lambda: pretrained("DistilBertModel", "DistilBertConfig", n_layers=2), text(8000))
add(
    "t5-encoder",
    "text encoder",
    lambda: pretrained("T5EncoderModel", "T5Config", num_layers=2, vocab_size=8000),
    text(8000),
)

_LLAMA = {
    "hidden_size": 256,
    "intermediate_size": 688,
    "num_hidden_layers": 2,
    "num_attention_heads": 8,
    "vocab_size": 2000,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
}
_GROUPED = {**_LLAMA, "num_key_value_heads": 4}
for _name, _stem, _options in (
    ("llama", "Llama", _GROUPED),
    ("qwen2", "Qwen2", _GROUPED),
    ("qwen3", "Qwen3", {**_GROUPED, "head_dim": 32}),
    ("mistral", "Mistral", {**_GROUPED, "sliding_window": 16}),
    ("gemma", "Gemma", {**_GROUPED, "head_dim": 32}),
    ("gemma2", "Gemma2", {**_GROUPED, "head_dim": 32}),
    ("phi", "Phi", _LLAMA),
    ("phi3", "Phi3", _GROUPED),
    ("olmo2", "Olmo2", _GROUPED),
    ("stablelm", "StableLm", _GROUPED),
    ("gpt-neox", "GPTNeoX", _LLAMA),
    ("mixtral", "Mixtral", {**_GROUPED, "num_local_experts": 4}),
    ("qwen2-moe", "Qwen2Moe", {**_GROUPED, "num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 256}),
    ("olmoe", "Olmoe", {**_GROUPED, "num_experts": 4, "num_experts_per_tok": 2}),
):
    _kind = "mixture of experts" if "num_experts_per_tok" in _options or "num_local_experts" in _options else "decoder"
    _build = functools.partial(pretrained, f"{_stem}ForCausalLM", f"{_stem}Config", use_cache=False, **_options)
    add(_name, _kind, _build, text(2000))
add(
    "gpt2",
    "decoder",
    lambda: pretrained("GPT2LMHeadModel", "GPT2Config", n_layer=2, vocab_size=2000, use_cache=False),
    text(2000),
)
add(
    "opt",
    "decoder",
    lambda: pretrained("OPTModel", "OPTConfig", num_hidden_layers=2, vocab_size=2000, use_cache=False),
    text(2000),
)


class CachedLlama(nn.Module):
    """One step of a decoder with its keys and values as inputs and outputs."""

    def __init__(self) -> None:
        super().__init__()
        self.model = pretrained("LlamaForCausalLM", "LlamaConfig", **_GROUPED)

    def forward(self, input_ids: Tensor, mask: Tensor, position: Tensor, *past: Tensor) -> tuple[Tensor, ...]:
        from transformers import DynamicCache

        cache = DynamicCache()
        for layer in range(len(past) // 2):
            cache.update(past[2 * layer], past[2 * layer + 1], layer)
        out = self.model(input_ids=input_ids, attention_mask=mask, position_ids=position, past_key_values=cache)
        layers = out.past_key_values.layers
        return out.logits, *(tensor for layer in layers for tensor in (layer.keys, layer.values))


add(
    "llama-step",
    "decoder with cache",
    CachedLlama,
    lambda: (
        integers(2000, 1, 1),
        torch.ones(1, 33, dtype=torch.int64),
        torch.full((1, 1), 32),
        *(random(1, 4, 32, 32, seed=seed) for seed in range(4)),
    ),
)

_STATE = {"hidden_size": 128, "num_hidden_layers": 2, "vocab_size": 2000, "use_cache": False}
_STATE2 = {**_STATE, "num_heads": 8, "head_dim": 32, "n_groups": 1, "state_size": 32, "chunk_size": 32}
add("mamba", "state space", lambda: pretrained("MambaModel", "MambaConfig", **_STATE), text(2000, mask=False))
add("mamba2", "state space", lambda: pretrained("Mamba2Model", "Mamba2Config", **_STATE2), text(2000, mask=False))

for _name, _model, _config, _size, _kind, _options in (
    ("hf-vit", "ViTModel", "ViTConfig", 224, "classification", _TWO),
    ("dinov2", "Dinov2Model", "Dinov2Config", 224, "classification", {**_TWO, "image_size": 224}),
    ("siglip-vision", "SiglipVisionModel", "SiglipVisionConfig", 224, "image encoder", _TWO),
    ("clip-vision", "CLIPVisionModel", "CLIPVisionConfig", 224, "image encoder", _TWO),
    ("segformer", "SegformerForSemanticSegmentation", "SegformerConfig", 128, "segmentation", {"depths": [1, 1, 1, 1]}),
    ("dpt", "DPTForDepthEstimation", "DPTConfig", 224, "depth", {"image_size": 224, "num_hidden_layers": 12}),
    ("glpn", "GLPNForDepthEstimation", "GLPNConfig", 128, "depth", {"depths": [1, 1, 1, 1]}),
    ("depth-anything", "DepthAnythingForDepthEstimation", "DepthAnythingConfig", 224, "depth", {}),
    ("swin2sr", "Swin2SRForImageSuperResolution", "Swin2SRConfig", 64, "super-resolution", {"depths": [2, 2]}),
    ("yolos", "YolosForObjectDetection", "YolosConfig", 224, "detection", {**_TWO, "image_size": [224, 224]}),
    ("superpoint", "SuperPointForKeypointDetection", "SuperPointConfig", 128, "key points", {}),
    ("convnextv2-hf", "ConvNextV2Model", "ConvNextV2Config", 128, "classification", {"depths": [1, 1, 2, 1]}),
    ("cvt", "CvtModel", "CvtConfig", 128, "classification", {}),
    ("vitpose", "VitPoseForPoseEstimation", "VitPoseConfig", 0, "pose", {}),
    ("beit-hf", "BeitModel", "BeitConfig", 224, "classification", _TWO),
):
    _inputs = pixels(_size) if _size else (lambda: {"pixel_values": random(1, 3, 256, 192)})
    add(_name, _kind, functools.partial(pretrained, _model, _config, **_options), _inputs)
add("clip-text", "text encoder", lambda: pretrained("CLIPTextModel", "CLIPTextConfig", **_TWO), text(8000))
add(
    "trocr-decoder",
    "OCR",
    lambda: pretrained("TrOCRForCausalLM", "TrOCRConfig", decoder_layers=2, vocab_size=2000, use_cache=False),
    text(2000, mask=False),
)
add("videomae", "video", lambda: pretrained("VideoMAEModel", "VideoMAEConfig", **_TWO), tensors((1, 16, 3, 224, 224)))
add(
    "timesformer",
    "video",
    lambda: pretrained("TimesformerModel", "TimesformerConfig", **_TWO, num_frames=4),
    tensors((1, 4, 3, 224, 224)),
)

_SPEECH = {"num_hidden_layers": 2, "apply_spec_augment": False}
for _name, _stem in (("wav2vec2", "Wav2Vec2"), ("hubert", "Hubert"), ("wavlm", "WavLM"), ("unispeech", "UniSpeech")):
    add(
        _name, "speech", functools.partial(pretrained, f"{_stem}Model", f"{_stem}Config", **_SPEECH), tensors((1, 8000))
    )
add(
    "whisper-encoder",
    "speech",
    lambda: pretrained("WhisperModel", "WhisperConfig", encoder_layers=2, decoder_layers=1).encoder,
    tensors((1, 80, 3000)),
)
add("ast", "audio", lambda: pretrained("ASTModel", "ASTConfig", **_TWO, max_length=256), tensors((1, 256, 128)))
add("encodec", "audio codec", lambda: pretrained("EncodecModel", "EncodecConfig").encoder, tensors((1, 1, 4800)))
add("dac", "audio codec", lambda: pretrained("DacModel", "DacConfig").encoder, tensors((1, 1, 4096)))
add(
    "patchtst",
    "time series",
    lambda: pretrained("PatchTSTModel", "PatchTSTConfig", num_input_channels=2, context_length=64, **_TWO),
    lambda: {"past_values": random(1, 64, 2)},
)


# --- blocks written as their papers do: diffusion, super-resolution, OCR, point clouds


class TimeBlock(nn.Module):
    """A residual block of a diffusion model with the step's embedding, and attention over the places."""

    def __init__(self, width: int = 64) -> None:
        super().__init__()
        self.step = nn.Sequential(nn.Linear(width, width * 4), nn.SiLU(), nn.Linear(width * 4, width))
        self.norms = nn.ModuleList(nn.GroupNorm(8, width) for _ in range(3))
        self.convolutions = nn.ModuleList(nn.Conv2d(width, width, 3, padding=1) for _ in range(2))
        self.attention = nn.MultiheadAttention(width, 4, batch_first=True)
        self.width = width

    def forward(self, x: Tensor, step: Tensor) -> Tensor:
        frequencies = torch.exp(-torch.arange(self.width // 2) / (self.width // 2) * 9.21)
        angles = step[:, None] * frequencies[None]
        embedding = self.step(torch.cat([angles.sin(), angles.cos()], -1))
        h = self.convolutions[0](nn.functional.silu(self.norms[0](x))) + embedding[:, :, None, None]
        x = x + self.convolutions[1](nn.functional.silu(self.norms[1](h)))
        places = self.norms[2](x).flatten(2).transpose(1, 2)
        attended, _ = self.attention(places, places, places, need_weights=False)
        return x + attended.transpose(1, 2).reshape(x.shape)


class SubPixel(nn.Module):
    """ESPCN: super-resolution by a sub-pixel convolution."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(1, 64, 5, padding=2),
            nn.Tanh(),
            nn.Conv2d(64, 32, 3, padding=1),
            nn.Tanh(),
            nn.Conv2d(32, 9, 3, padding=1),
            nn.PixelShuffle(3),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x).sigmoid()


class Recognizer(nn.Module):
    """CRNN: convolutions, two bidirectional LSTMs, letters."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for before, after, pool in ((1, 32, 2), (32, 64, 2), (64, 128, (2, 1)), (128, 128, (4, 1))):
            layers += [nn.Conv2d(before, after, 3, padding=1), nn.BatchNorm2d(after), nn.ReLU(), nn.MaxPool2d(pool)]
        self.features = nn.Sequential(*layers)
        self.recurrent = nn.LSTM(128, 64, num_layers=2, bidirectional=True)
        self.letters = nn.Linear(128, 37)

    def forward(self, x: Tensor) -> Tensor:
        columns = self.features(x).squeeze(2).permute(2, 0, 1)
        return self.letters(self.recurrent(columns)[0]).log_softmax(-1)


class PointNet(nn.Module):
    """Points float32[1, 3, N] through their own transform to classes."""

    def __init__(self) -> None:
        super().__init__()
        self.transform = nn.Sequential(nn.Conv1d(3, 64, 1), nn.BatchNorm1d(64), nn.ReLU(), nn.Conv1d(64, 128, 1))
        self.matrix = nn.Linear(128, 9)
        self.local = nn.Sequential(nn.Conv1d(3, 64, 1), nn.BatchNorm1d(64), nn.ReLU(), nn.Conv1d(64, 256, 1))
        self.head = nn.Sequential(nn.Linear(256, 128), nn.ReLU(), nn.Dropout(0.3), nn.Linear(128, 40))

    def forward(self, points: Tensor) -> Tensor:
        matrix = self.matrix(self.transform(points).amax(-1)).view(-1, 3, 3) + torch.eye(3)
        turned = torch.bmm(points.transpose(1, 2), matrix).transpose(1, 2)
        return self.head(self.local(turned).amax(-1)).log_softmax(-1)


class EdgeConvolution(nn.Module):
    """DGCNN: features of the nearest neighbours of each point."""

    def __init__(self, neighbours: int = 8) -> None:
        super().__init__()
        self.neighbours = neighbours
        self.layer = nn.Sequential(nn.Conv2d(6, 64, 1, bias=False), nn.BatchNorm2d(64), nn.LeakyReLU(0.2))
        self.head = nn.Linear(64, 40)

    def forward(self, points: Tensor) -> Tensor:
        squared = (points**2).sum(1, keepdim=True)
        distance = 2 * points.transpose(1, 2) @ points - squared.transpose(1, 2) - squared
        near = distance.topk(self.neighbours, dim=-1).indices
        places = points.transpose(1, 2)
        around = places[torch.arange(places.shape[0])[:, None, None], near]
        centre = places.unsqueeze(2).expand_as(around)
        edges = torch.cat([around - centre, centre], -1).permute(0, 3, 1, 2)
        return self.head(self.layer(edges).amax(-1).amax(-1))


class UNet(nn.Module):
    """Three levels with skip connections and transposed convolutions."""

    def __init__(self) -> None:
        super().__init__()

        def block(before: int, after: int) -> nn.Sequential:
            return nn.Sequential(nn.Conv2d(before, after, 3, padding=1), nn.BatchNorm2d(after), nn.ReLU())

        self.down = nn.ModuleList([block(3, 16), block(16, 32), block(32, 64)])
        self.rise = nn.ModuleList([nn.ConvTranspose2d(64, 32, 2, stride=2), nn.ConvTranspose2d(32, 16, 2, stride=2)])
        self.up = nn.ModuleList([block(64, 32), block(32, 16)])
        self.out = nn.Conv2d(16, 5, 1)

    def forward(self, x: Tensor) -> Tensor:
        first = self.down[0](x)
        second = self.down[1](nn.functional.max_pool2d(first, 2))
        x = self.down[2](nn.functional.max_pool2d(second, 2))
        x = self.up[0](torch.cat([self.rise[0](x), second], 1))
        return self.out(self.up[1](torch.cat([self.rise[1](x), first], 1)))


add("diffusion-block", "diffusion", TimeBlock, lambda: (random(1, 64, 16, 16), torch.tensor([500.0])))
add("espcn", "super-resolution", SubPixel, tensors((1, 1, 64, 64)))
add("crnn", "OCR", Recognizer, tensors((1, 1, 32, 100)))
add("pointnet", "point cloud", PointNet, tensors((1, 3, 256)))
add("dgcnn", "point cloud", EdgeConvolution, tensors((1, 3, 128)))
add("unet", "segmentation", UNet, image(96))
