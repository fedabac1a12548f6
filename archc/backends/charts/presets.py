"""Figures of lectures and papers, each by one name. Costs are compiled; what was measured comes from `archc/data`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from archc.backends.charts.vega import Scatter


@dataclass(frozen=True)
class Preset:
    """A figure: its title, its networks with label and family, and how it shows them.

    `protocol` is what accuracies must hold in their protocol or source, `main` the protocol that goes without a mark; `notes` tell
    how the figure departs from the original.
    """

    title: str
    subtitle: str
    networks: tuple[tuple[str, str, str], ...]
    scatter: Scatter
    protocol: str = ""
    main: str = ""
    notes: tuple[str, ...] = ()


def _named(family: str, *pairs: tuple[str, str]) -> tuple[tuple[str, str, str], ...]:
    return tuple((address, label, family) for address, label in pairs)


EFFICIENTNETS = tuple((f"efficientnet:b{at}", f"B{at}", "EfficientNet") for at in range(8))
INCEPTIONS = _named("Inception", ("inception-v3", "Inception-v3"), ("inception-v4", "Inception-v4"), ("inception-resnet:v2", "Inception-ResNet-v2"))

PRESETS: Mapping[str, Preset] = {
    "canziani": Preset(
        "Top-1 accuracy against operations",
        "After the chart of Canziani, Paszke and Culurciello, An Analysis of Deep Neural Network Models for Practical Applications (2016, arXiv 1605.07678). The area of a bubble is the number of parameters.",
        (
            *_named("AlexNet", ("alexnet:one-tower", "AlexNet"), ("alexnet:bn", "BN-AlexNet")),
            *_named("NIN", ("nin:imagenet-bn", "BN-NIN")),
            *_named("Inception", ("googlenet:torchvision", "GoogLeNet"), ("inception-v3:torchvision", "Inception-v3"), ("inception-v4", "Inception-v4")),
            *_named("VGG", ("vgg:D", "VGG-16"), ("vgg:E", "VGG-19")),
            *_named("ResNet", *((f"resnet:{depth}", f"ResNet-{depth}") for depth in (18, 34, 50, 101, 152))),
            *_named("ENet", ("enet", "ENet")),
        ),
        Scatter(axis="ops", sized=True, logarithmic=False),
        "",
        "",
        (
            "AlexNet, GoogLeNet and Inception-v3 are the networks of torchvision, whose accuracies these are.",
            "An operation is a multiplication or an addition: 2 for each multiply-accumulate, as in the paper.",
            "ENet is the paper's encoder with global pooling and a dense layer: what stood there in the chart is not published, nor is BN-AlexNet's layout.",
        ),
    ),
    "efficientnet-fig1": Preset(
        "Model size against ImageNet accuracy",
        "After Tan and Le, EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks (2019), Figure 1.",
        (
            *EFFICIENTNETS,
            *_named("ResNet", ("resnet:50", "ResNet-50"), ("resnet:152", "ResNet-152")),
            *_named("DenseNet", ("densenet:169", "DenseNet-169"), ("densenet:264", "DenseNet-264")),
            *INCEPTIONS,
            *_named("Xception", ("xception:main", "Xception")),
            *_named("ResNeXt", ("resnext:101-64x4d", "ResNeXt-101")),
            *_named("NASNet", ("nasnet:large", "NASNet-A")),
            *_named("PNASNet", ("pnasnet:large", "PNASNet")),
        ),
        Scatter(axis="params", sized=False, joined=("EfficientNet",), logarithmic=False),
        "EfficientNet paper Table 2",
        "single crop",
        ("Parameters are those of the compiled networks, moving statistics of batch normalisation included.", "Accuracies are those of the paper's Table 2; its PolyNet, AmoebaNet, SENet at 320 pixels and GPipe have no spec."),
    ),
    "efficientnet-fig8": Preset(
        "Scaling up EfficientNet-B0 in different ways",
        "After Tan and Le (2019), Figure 8: from one baseline by depth, width and resolution alone, and by all three together.",
        (
            *_named("baseline", ("efficientnet-scaling:baseline", "baseline (B0)")),
            *_named("by depth", ("efficientnet-scaling:depth-4", "depth × 4")),
            *_named("by width", ("efficientnet-scaling:width-2", "width × 2")),
            *_named("by resolution", ("efficientnet-scaling:resolution-2", "resolution × 2")),
            *_named("compound", ("efficientnet-scaling:compound", "compound: depth × 1.4, width × 1.2, resolution × 1.3")),
        ),
        Scatter(axis="macs", sized=False, logarithmic=False, lines=tuple(("efficientnet-scaling:baseline", f"efficientnet-scaling:{one}") for one in ("depth-4", "width-2", "resolution-2", "compound"))),
        "EfficientNet paper Table 7",
        "single crop",
        ("The paper states accuracies for the ends of its curves only (Table 7); the lines join them to the baseline. What the paper calls FLOPS are multiply-accumulates.",),
    ),
}
ILSVRC = "ilsvrc"
NAMES = (*PRESETS, ILSVRC)
