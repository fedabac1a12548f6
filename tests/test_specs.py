"""The shipped specs: every figure that they state, their layers one by one, their wiring and their names."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import pytest

from archc import Compiled, Family, compile, load
from archc.analyses import NodeCost
from archc.analyses.expectations import largest_field
from archc.graph.graph import Graph, Node
from archc.language.catalogue import shipped_root
from archc.operators import Role

NAMES = ("lenet", "vgg", "alexnet", "googlenet", "resnet", "zfnet", "nin", "squeezenet", "densenet", "darknet", "enet")
CLASSIC = ("lenet", "alexnet", "zfnet", "vgg", "googlenet", "resnet", "efficientnet")


@lru_cache(maxsize=8)
def family(name: str) -> Family:
    return load(name)


@lru_cache(maxsize=32)
def network(address: str) -> Compiled:
    return compile(address)


def variants() -> list[str]:
    return [f"{name}:{one}" if one else name for name in NAMES for one in family(name)]


def node(graph: Graph, name: str) -> Node:
    return next(one for one in graph.nodes if one.name == name)


def reads(graph: Graph, name: str) -> list[str]:
    """The names of the nodes that a node reads, in order."""
    return [graph.nodes[one.node].name for one in node(graph, name).inputs]


def rows(address: str) -> list[tuple[str, str, int, int, int | None]]:
    """Operation, output, parameters, trainable ones and MACs of each layer."""
    compiled = network(address)
    graph: Graph = compiled.graph
    costs = compiled.analysed.cost.nodes
    return [
        (one.operator.name, "x".join(map(str, one.shape)), costs[one.index].params, costs[one.index].trainable, costs[one.index].macs)
        for one in graph.nodes[1:]
    ]


# Every variant

# address: params, trainable, MACs, weight layers
FIGURES: dict[str, tuple[int, int, int, int]] = {
    "lenet:keras": (61706, 61706, 416520, 5),
    "lenet:original": (60840, 60000, 326520, 20),
    "vgg:A": (132863336, 132863336, 7609090048, 11),
    "vgg:A-LRN": (132863336, 132863336, 7609090048, 11),
    "vgg:B": (133047848, 133047848, 11308466176, 13),
    "vgg:C": (133638952, 133638952, 11770888192, 16),
    "vgg:D": (138357544, 138357544, 15470264320, 16),
    "vgg:E": (143667240, 143667240, 19632062464, 19),
    "vgg:D-torchvision": (138357544, 138357544, 15470264320, 16),
    "vgg:E-torchvision": (143667240, 143667240, 19632062464, 19),
    "vgg:A-bn": (132874344, 132868840, 7609090048, 11),
    "vgg:B-bn": (133059624, 133053736, 11308466176, 13),
    "vgg:D-bn": (138374440, 138365992, 15470264320, 16),
    "vgg:E-bn": (143689256, 143678248, 19632062464, 19),
    "vgg:D-cifar10": (14714688 + 513 * 4096 + 4097 * 4096 + 40970, 33638218, 15346630656 // 49 + 4608 * 4096 + 40960, 16),
    "alexnet:2012": (60965224, 60965224, 724406816, 8),
    "alexnet:2012-no-groups": (62378344, 62378344, 1135256096, 8),
    "alexnet:one-tower": (61100840, 61100840, 714188480, 8),
    "alexnet:bn": (61100840 + 4 * 9344, 61100840 + 2 * 9344, 714188480, 8),
    "alexnet:cifar10": (58360586, 58341450, 1131201056, 8),
    "googlenet:main": (6998552, 6998552, 1582671872, 58),
    "googlenet:aux": (13378280, 13378280, 1591044096, 64),
    "googlenet:naive": (97526008, 97526008, 12568061056, 31),
    "googlenet:torchvision": (6624904 + 14560, 6624904, 1498376192, 58),
    "googlenet:torchvision-aux": (13004888 + 15072, 13004888, 1506748416, 64),
    "resnet:18": (11689512 + 9600, 11689512, 1814073344, 20 + 1),
    "resnet:34": (21797672 + 17024, 21797672, 3663761408, 36 + 1),
    "resnet:50": (25557032 + 53120, 25557032, 4089184256, 53 + 1),
    "resnet:101": (44549160 + 105344, 44549160, 7801405440, 104 + 1),
    "resnet:152": (60192808 + 151424, 60192808, 11513626624, 155 + 1),
    "resnet:50-keras": (25636712, 25583592, 3857973248, 53 + 1),
    "resnet:101-keras": (44707176, 44601832, 7570194432, 104 + 1),
    "resnet:152-keras": (60419944, 60268520, 11282415616, 155 + 1),
    "resnet:34-A": (21623848 + 15232, 21623848, 3644493824, 34),
    "resnet:34-C": (22716840 + 17024 + 5760, 22716840, 3830747136, 33 + 16 + 1),
    "resnet:plain18": (11515688 + 7808, 11515688, 1794805760, 18),
    "resnet:plain34": (21623848 + 15232, 21623848, 3644493824, 34),
    "zfnet": (62357608, 62357608, 1168032896, 8),
    "nin:imagenet": (7595176, 7595176, 1105996320, 12),
    "nin:imagenet-bn": (7616200, 7605688, 1105996320, 12),
    "nin:cifar10": (966986, 966986, 222486528, 9),
    "squeezenet:1.0": (1248424, 1248424, 818924576, 26),
    "squeezenet:1.1": (1235496, 1235496, 349151936, 26),
    "densenet:121": (8062504, 7978856, 2834161664, 121),
    "densenet:161": (28900936, 28681000, 7727907072, 161),
    "densenet:169": (14307880, 14149480, 3359843328, 169),
    "densenet:201": (20242984, 20013928, 4291365888, 201),
    "densenet:264": (33736232, 33337704, 5751653376, 265),
    "densenet:121-keras": (8062504, 7978856, 2834161664, 121),
    "densenet:169-keras": (14307880, 14149480, 3359843328, 169),
    "densenet:201-keras": (20242984, 20013928, 4291365888, 201),
    "densenet:40-12": (1037818, 1019722, 264812928, 40),
    "densenet:bc-100-12": (793150, 769162, 287929692, 100),
    "densenet:bc-250-24": (15582382, 15324406, 5418785724, 250),
    "densenet:bc-190-40": (25881390, 25624430, 9301945740, 190),
    "darknet:19": (20856776, 20842376, 2790989824, 19),
    "darknet:53": (41645640, 41609928, 9285115904, 53),
    "enet": (474676, 467156, 311206656, 72),
}


def test_every_variant_is_in_the_table() -> None:
    assert set(variants()) == set(FIGURES)


@pytest.mark.parametrize("address", variants())
def test_figures(address: str) -> None:
    cost = network(address).analysed.cost
    assert (cost.params, cost.trainable, cost.macs, cost.weight_layers) == FIGURES[address]
    assert cost.params == cost.trainable + cost.non_trainable


@pytest.mark.parametrize("address", variants())
def test_every_variant_states_its_figures_and_they_hold(address: str) -> None:
    facts = {one.key: one for one in network(address).expectations}
    assert {"params", "trainable", "macs", "weight_layers", "output"} <= set(facts)
    assert all(one.holds for one in facts.values())
    assert all(one.source for one in facts.values() if one.paper is not None), "a claim has its source"


@pytest.mark.parametrize("address", variants())
def test_no_warnings(address: str) -> None:
    assert network(address).warnings == ()


@pytest.mark.parametrize("address", variants())
def test_layer_names_are_good_everywhere(address: str) -> None:
    names = [one.name for one in network(address).graph.nodes]
    assert len(set(names)) == len(names)
    assert all(name.replace("_", "").isalnum() and name.isascii() for name in names)


@pytest.mark.parametrize("path", sorted(shipped_root().rglob("*.yaml")), ids=lambda path: path.stem)
def test_a_spec_is_a_page(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    assert max(map(len, lines)) <= 120
    assert sum(1 for one in lines if one.strip() and not one.strip().startswith("#")) <= (60 if path.stem in CLASSIC else 100)


@pytest.mark.parametrize(
    ("address", "receptive_field"),
    [("vgg:D", 212), ("vgg:E", 268), ("resnet:18", 435), ("resnet:34", 899)],
)
def test_receptive_fields(address: str, receptive_field: int) -> None:
    assert largest_field(network(address).analysed) == receptive_field


@pytest.mark.parametrize(
    ("alias", "address"),
    [
        ("lenet5", "lenet:keras"), ("lenet-5", "lenet:keras"), ("lenet", "lenet:keras"), ("vgg11", "vgg:A"), ("vgg13", "vgg:B"), ("vgg16", "vgg:D"), ("vgg19", "vgg:E"),
        ("inception-v1", "googlenet:main"), ("alexnet", "alexnet:2012"), ("googlenet", "googlenet:main"), ("vgg16_bn", "vgg:D-bn"),
        ("densenet121", "densenet:121"), ("squeezenet1_1", "squeezenet:1.1"), ("darknet53", "darknet:53"), ("bn-nin", "nin:imagenet-bn"),
        *((f"resnet{depth}", f"resnet:{depth}") for depth in (18, 34, 50, 101, 152)),
    ],
)
def test_aliases(alias: str, address: str) -> None:
    assert compile(alias).graph.address == address


# LeNet-5

def test_lenet_layers() -> None:
    assert rows("lenet") == [
        ("conv", "28x28x6", 156, 156, 117600),
        ("avg_pool", "14x14x6", 0, 0, 0),
        ("conv", "10x10x16", 2416, 2416, 240000),
        ("avg_pool", "5x5x16", 0, 0, 0),
        ("flatten", "400", 0, 0, 0),
        ("dense", "120", 48120, 48120, 48000),
        ("dense", "84", 10164, 10164, 10080),
        ("dense", "10", 850, 850, 840),
    ]


# Table I of the paper: which maps of S2 (rows) the maps of C3 (columns) read.
C3 = """
X...XXX..XXXX.XX
XX...XXX..XXXX.X
XXX...XXX..X.XXX
.XXX..XXXX..X.XX
..XXX..XXXX.XX.X
...XXX..XXXX.XXX
"""


def test_lenet_c3_reads_what_the_table_says() -> None:
    graph = network("lenet:original").graph
    table = C3.split()
    wanted = [[row for row in range(6) if table[row][column] == "X"] for column in range(16)]
    assert [list(node(graph, f"C3_steps{at}_select").operator.attributes()["channels"]) for at in range(1, 17)] == wanted
    assert reads(graph, "C3") == [f"C3_steps{at}_conv" for at in range(1, 17)]
    assert {reads(graph, f"C3_steps{at}_select")[0] for at in range(1, 17)} == {"S2_squash_rescale_2"}


def test_lenet_original_parameters_by_layer() -> None:
    compiled = network("lenet:original")
    costs = compiled.analysed.cost.nodes
    layers = {"C1": 0, "S2": 0, "C3": 0, "S4": 0, "C5": 0, "F6": 0, "RBF": 0}
    for one in compiled.graph.nodes:
        label = one.name.split("_")[0]
        if label in layers:
            layers[label] += costs[one.index].params
    assert layers == {"C1": 156, "S2": 12, "C3": 1516, "S4": 32, "C5": 48120, "F6": 10164, "RBF": 840}
    assert costs[node(compiled.graph, "RBF").index].trainable == 0


# VGG

VGG_CONVOLUTIONS = {
    "A": [64, 128, 256, 256, 512, 512, 512, 512],
    "A-LRN": [64, 128, 256, 256, 512, 512, 512, 512],
    "B": [64, 64, 128, 128, 256, 256, 512, 512, 512, 512],
    "C": [64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512, 512],
    "D": [64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512, 512],
    "E": [64, 64, 128, 128, *[256] * 4, *[512] * 8],
}


@pytest.mark.parametrize("variant", VGG_CONVOLUTIONS)
def test_vgg_columns(variant: str) -> None:
    graph = network(f"vgg:{variant}").graph
    convolutions = [one for one in graph.nodes if one.operator.name == "conv"]
    assert [one.shape[-1] for one in convolutions] == VGG_CONVOLUTIONS[variant]
    pools = [one.shape[0] for one in graph.nodes if one.operator.name == "max_pool"]
    assert pools == [112, 56, 28, 14, 7]
    tail = [one.operator.name for one in graph.nodes][-7:]
    assert tail == ["flatten", "dense", "dropout", "dense", "dropout", "dense", "softmax"]


def test_vgg_c_has_three_1x1_convolutions_and_the_others_none() -> None:
    for variant in VGG_CONVOLUTIONS:
        kernels = [one.weights[0].shape[:2] for one in network(f"vgg:{variant}").graph.nodes if one.operator.name == "conv"]
        assert kernels.count((1, 1)) == (3 if variant == "C" else 0)
    c = [one for one in network("vgg:C").graph.nodes if one.operator.name == "conv"]
    assert [at for at, one in enumerate(c) if one.weights[0].shape[0] == 1] == [6, 9, 12]


def test_vgg_lrn_stands_after_the_first_convolution_of_a_lrn() -> None:
    graph = network("vgg:A-LRN").graph
    assert reads(graph, "lrn") == ["conv"]
    assert reads(graph, "max_pool") == ["lrn"]
    assert "lrn" not in [one.name for one in network("vgg:A").graph.nodes]


@pytest.mark.parametrize("variant", "ABDE")
def test_vgg_batch_norm_stands_between_convolution_and_relu(variant: str) -> None:
    graph = network(f"vgg:{variant}-bn").graph
    operators = [one.operator.name for one in graph.nodes]
    places = [at for at, one in enumerate(operators) if one == "conv"]
    assert [graph.nodes[at].shape[-1] for at in places] == VGG_CONVOLUTIONS[variant]
    assert all(operators[at + 1 : at + 3] == ["batch_norm", "relu"] for at in places)
    assert {graph.nodes[at].operator.attributes()["activation"] for at in places} == {"linear"}


def test_vgg_on_cifar10() -> None:
    graph = network("vgg:D-cifar10").graph
    assert [one.shape[0] for one in graph.nodes if one.operator.name == "max_pool"] == [16, 8, 4, 2, 1]
    assert [one.shape[0] for one in graph.nodes if one.operator.name == "dense"] == [4096, 4096, 10]


def test_vgg_classes_and_names() -> None:
    graph = compile("vgg:D", classes=10).graph
    assert node(graph, "dense_3").shape == (10,)
    assert node(graph, "conv_8").shape == (28, 28, 512)
    assert node(graph, "dense").shape == (4096,)


# AlexNet for CIFAR-10: operation, output, parameters, trainable ones, MACs

ALEXNET_CIFAR10 = [
    ("conv", "55x55x96", 34944, 34944, 105415200),
    ("relu", "55x55x96", 0, 0, 0),
    ("max_pool", "27x27x96", 0, 0, 0),
    ("batch_norm", "27x27x96", 384, 192, 0),
    ("conv", "27x27x256", 614656, 614656, 447897600),
    ("relu", "27x27x256", 0, 0, 0),
    ("max_pool", "13x13x256", 0, 0, 0),
    ("batch_norm", "13x13x256", 1024, 512, 0),
    ("conv", "13x13x384", 885120, 885120, 149520384),
    ("relu", "13x13x384", 0, 0, 0),
    ("batch_norm", "13x13x384", 1536, 768, 0),
    ("conv", "13x13x384", 1327488, 1327488, 224280576),
    ("relu", "13x13x384", 0, 0, 0),
    ("batch_norm", "13x13x384", 1536, 768, 0),
    ("conv", "13x13x256", 884992, 884992, 149520384),
    ("relu", "13x13x256", 0, 0, 0),
    ("max_pool", "6x6x256", 0, 0, 0),
    ("batch_norm", "6x6x256", 1024, 512, 0),
    ("flatten", "9216", 0, 0, 0),
    ("dense", "4096", 37752832, 37752832, 37748736),
    ("relu", "4096", 0, 0, 0),
    ("dropout", "4096", 0, 0, 0),
    ("batch_norm", "4096", 16384, 8192, 0),
    ("dense", "4096", 16781312, 16781312, 16777216),
    ("relu", "4096", 0, 0, 0),
    ("dropout", "4096", 0, 0, 0),
    ("batch_norm", "4096", 16384, 8192, 0),
    ("dense", "10", 40970, 40970, 40960),
    ("softmax", "10", 0, 0, 0),
]


def test_alexnet_layers() -> None:
    assert rows("alexnet:cifar10") == ALEXNET_CIFAR10
    assert network("alexnet:cifar10").analysed.cost.non_trainable == 19136


def test_alexnet_settings() -> None:
    graph = network("alexnet:cifar10").graph
    rates = [one.operator.attributes()["rate"] for one in graph.nodes if one.operator.name == "dropout"]
    norms = {(one.operator.attributes()["momentum"], one.operator.attributes()["epsilon"]) for one in graph.nodes if one.operator.name == "batch_norm"}
    assert rates == [0.4, 0.4]
    assert norms == {(0.99, 0.001)}


def test_alexnet_towers() -> None:
    graph = network("alexnet:2012").graph
    convolutions = [one for one in graph.nodes if one.operator.name == "conv"]
    assert [one.operator.attributes()["groups"] for one in convolutions] == [1, 2, 1, 2, 2]
    assert [one.shape for one in convolutions] == [(55, 55, 96), (27, 27, 256), (13, 13, 384), (13, 13, 384), (13, 13, 256)]
    assert (reads(graph, "lrn"), reads(graph, "lrn_2"), reads(graph, "max_pool")) == (["relu"], ["relu_2"], ["lrn"])


# GoogLeNet: module, input size, input channels, the six numbers, output channels, parameters, MACs

MODULES = [
    ("3a", 28, 192, (64, 96, 128, 16, 32, 32), 256, 163696, 128049152),
    ("3b", 28, 256, (128, 128, 192, 32, 96, 64), 480, 388736, 304267264),
    ("4a", 14, 480, (192, 96, 208, 16, 48, 64), 512, 376176, 73608192),
    ("4b", 14, 512, (160, 112, 224, 24, 64, 64), 512, 449160, 87908352),
    ("4c", 14, 512, (128, 128, 256, 24, 64, 64), 512, 510104, 99850240),
    ("4d", 14, 512, (112, 144, 288, 32, 64, 64), 528, 605376, 118515712),
    ("4e", 14, 528, (256, 160, 320, 32, 128, 128), 832, 868352, 169996288),
    ("5a", 7, 832, (256, 160, 320, 32, 128, 128), 832, 1043456, 51079168),
    ("5b", 7, 832, (384, 192, 384, 48, 128, 128), 1024, 1444080, 70697984),
]

NAIVE = [
    (28, 192, (64, 128, 32), 416, 387296, 303464448),
    (28, 256, (128, 192, 96), 672, 1089952, 854196224),
    (14, 480, (192, 208, 48), 928, 1567168, 307077120),
    (14, 512, (160, 224, 64), 960, 1933760, 378929152),
    (14, 512, (128, 256, 64), 960, 2064832, 404619264),
    (14, 512, (112, 288, 64), 976, 2204112, 431915008),
    (14, 528, (256, 320, 128), 1232, 3346112, 655699968),
    (7, 832, (256, 320, 128), 1536, 5272256, 258306048),
    (7, 832, (384, 384, 128), 1728, 5858176, 287006720),
]


@pytest.mark.parametrize(("module", "size", "channels", "numbers", "out", "params", "macs"), MODULES)
def test_inception_modules(module: str, size: int, channels: int, numbers: tuple[int, ...], out: int, params: int, macs: int) -> None:
    compiled = network("googlenet:main")
    graph = compiled.graph
    n1, n3_reduce, n3, n5_reduce, n5, pool = numbers
    shapes = {
        "1x1_conv": n1, "3x3_conv": n3_reduce, "3x3_conv_2": n3, "5x5_conv": n5_reduce, "5x5_conv_2": n5,
        "pool_max_pool": channels, "pool_conv": pool, "concat": out,
    }
    members = [one for one in graph.nodes if one.name.startswith(f"{module}_")]
    assert {one.name.removeprefix(f"{module}_"): one.shape for one in members} == {name: (size, size, width) for name, width in shapes.items()}
    costs: list[NodeCost] = [compiled.analysed.cost.nodes[one.index] for one in members]
    assert sum(one.params for one in costs) == params
    assert sum(one.macs or 0 for one in costs) == macs
    source = reads(graph, f"{module}_1x1_conv")
    assert all(reads(graph, f"{module}_{one}") == source for one in ("3x3_conv", "5x5_conv", "pool_max_pool"))
    assert reads(graph, f"{module}_concat") == [f"{module}_{one}" for one in ("1x1_conv", "3x3_conv_2", "5x5_conv_2", "pool_conv")]


@pytest.mark.parametrize(("size", "channels", "numbers", "out", "params", "macs"), NAIVE)
def test_naive_modules(size: int, channels: int, numbers: tuple[int, ...], out: int, params: int, macs: int) -> None:
    text = f"archc: 1\nname: naive\nuse: ['archc:blocks/inception.yaml']\ninput: [{size}, {size}, {channels}]\nlayers: [inception_naive: {list(numbers)}]\n"
    compiled = load("-", text.encode())[""]
    assert compiled.graph.nodes[-1].shape == (size, size, out)
    assert (compiled.analysed.cost.params, compiled.analysed.cost.macs) == (params, macs)


def test_googlenet_of_naive_modules_grows_by_what_pooling_passes_on() -> None:
    graph = network("googlenet:naive").graph
    channels = 192
    for module, _, _, (n1, _, n3, _, n5, _), _, _, _ in MODULES:
        channels += n1 + n3 + n5
        assert node(graph, f"{module}_inception_naive_concat").shape[-1] == channels
    assert channels == 4944


def test_googlenet_of_torchvision() -> None:
    graph = network("googlenet:torchvision-aux").graph
    names = {one.name for one in graph.nodes}
    for module, *_ in MODULES:
        assert node(graph, f"{module}_5x5_conv_bn_relu_2_conv").weights[0].shape[:2] == (3, 3)
        assert reads(graph, f"{module}_concat") == [f"{module}_{one}_relu" for one in ("1x1_conv_bn_relu", "3x3_conv_bn_relu_2", "5x5_conv_bn_relu_2", "pool_conv_bn_relu")]
    assert "lrn" not in {one.operator.name for one in graph.nodes}
    assert node(graph, "max_pool_4").operator.attributes()["size"] in (2, (2, 2))
    assert {"aux1_aux_head_bn_adaptive_avg_pool", "aux2_aux_head_bn_adaptive_avg_pool"} <= names
    assert [one.operator.attributes()["rate"] for one in graph.nodes if one.operator.name == "dropout"] == [0.7, 0.7, 0.2]


def test_googlenet_stem_and_tail() -> None:
    graph = network("googlenet:main").graph
    stem = [(one.operator.name, one.shape) for one in graph.nodes[1:8]]
    assert stem == [
        ("conv", (112, 112, 64)), ("max_pool", (56, 56, 64)), ("lrn", (56, 56, 64)), ("conv", (56, 56, 64)),
        ("conv", (56, 56, 192)), ("lrn", (56, 56, 192)), ("max_pool", (28, 28, 192)),
    ]
    tail = [(one.operator.name, one.shape) for one in graph.nodes[-4:]]
    assert tail == [("global_avg_pool", (1024,)), ("dropout", (1024,)), ("dense", (1000,)), ("softmax", (1000,))]
    assert node(graph, "dropout").operator.attributes()["rate"] == 0.4
    costs = network("googlenet:main").analysed.cost.nodes
    assert [costs[node(graph, one).index].params for one in ("conv", "conv_2", "conv_3", "dense")] == [9472, 4160, 110784, 1025000]


def test_googlenet_chain_of_modules() -> None:
    graph = network("googlenet:aux").graph
    before = {"3a": "max_pool_2", "3b": "3a_concat", "4a": "max_pool_3", "4b": "4a_concat", "4c": "4b_concat", "4d": "4c_concat", "4e": "4d_concat", "5a": "max_pool_4", "5b": "5a_concat"}
    assert {module: reads(graph, f"{module}_1x1_conv")[0] for module in before} == before
    assert reads(graph, "max_pool_3") == ["3b_concat"]
    assert reads(graph, "max_pool_4") == ["4e_concat"]
    assert reads(graph, "global_avg_pool") == ["5b_concat"]


def test_googlenet_auxiliary_heads() -> None:
    graph = network("googlenet:aux").graph
    assert [name for name, _ in graph.outputs] == ["main", "aux1", "aux2"]
    assert [graph.nodes[one.node].name for _, one in graph.outputs] == ["main", "aux1_aux_head_softmax", "aux2_aux_head_softmax"]
    assert reads(graph, "aux1_aux_head_avg_pool") == ["4a_concat"]
    assert reads(graph, "aux2_aux_head_avg_pool") == ["4d_concat"]
    assert node(graph, "aux1_aux_head_avg_pool").shape == (4, 4, 512)
    assert node(graph, "aux1_aux_head_flatten").shape == (2048,)
    assert node(graph, "aux1_aux_head_dense_2").shape == (1000,)
    costs = network("googlenet:aux").analysed.cost.nodes
    assert [costs[node(graph, f"aux1_aux_head_{one}").index].params for one in ("conv", "dense", "dense_2")] == [65664, 2098176, 1025000]
    assert [name for name, _ in network("googlenet").graph.outputs] == ["main"]


def test_googlenet_main_is_part_of_aux() -> None:
    main = {one.name: one.shapes for one in network("googlenet:main").graph.nodes}
    aux = {one.name: one.shapes for one in network("googlenet:aux").graph.nodes}
    assert main.items() <= aux.items()


# ResNet

BLOCKS = {"18": (2, 2, 2, 2), "34": (3, 4, 6, 3), "50": (3, 4, 6, 3), "101": (3, 4, 23, 3), "152": (3, 8, 36, 3)}
FIRST_1X1 = {"50": (3857973248, 483), "101": (7570194432, 1027), "152": (11282415616, 1507)}


@pytest.mark.parametrize("depth", BLOCKS)
def test_resnet_stages(depth: str) -> None:
    graph = network(f"resnet:{depth}").graph
    wide = 4 if int(depth) >= 50 else 1
    assert [one.shape for one in graph.nodes[1:5]] == [*[(112, 112, 64)] * 3, (56, 56, 64)]
    for stage, (repeats, size) in enumerate(zip(BLOCKS[depth], (56, 28, 14, 7), strict=True), start=1):
        ends = [one for one in graph.nodes if one.name.startswith(f"stage{stage}_") and one.name.endswith("_add")]
        assert [one.name for one in ends] == [f"stage{stage}_block{at}_add" for at in range(1, repeats + 1)]
        assert {one.shape for one in ends} == {(size, size, 64 * 2 ** (stage - 1) * wide)}
    projections = [one.name for one in graph.nodes if one.name.endswith("shortcut_conv_bn_conv")]
    assert projections == [f"stage{at}_block1_shortcut_conv_bn_conv" for at in ((1, 2, 3, 4) if wide == 4 else (2, 3, 4))]


@pytest.mark.parametrize("depth", BLOCKS)
def test_resnet_shortcuts_come_from_the_blocks_input(depth: str) -> None:
    graph = network(f"resnet:{depth}").graph
    last = "conv_bn_3" if int(depth) >= 50 else "conv_bn_2"
    before = "max_pool"
    for stage, repeats in enumerate(BLOCKS[depth], start=1):
        for at in range(1, repeats + 1):
            block = f"stage{stage}_block{at}"
            projected = f"{block}_shortcut_conv_bn_conv" in [one.name for one in graph.nodes]
            assert reads(graph, f"{block}_residual_conv_bn_conv") == [before]
            assert reads(graph, f"{block}_add") == [f"{block}_residual_{last}_batch_norm", f"{block}_shortcut_conv_bn_batch_norm" if projected else before]
            if projected:
                assert reads(graph, f"{block}_shortcut_conv_bn_conv") == [before]
            assert reads(graph, f"{block}_relu") == [f"{block}_add"]
            before = f"{block}_relu"
    assert reads(graph, "global_avg_pool") == [before]


@pytest.mark.parametrize("depth", FIRST_1X1)
def test_resnet_stride_on_the_first_convolution(depth: str) -> None:
    compiled = compile(f"resnet:{depth}", stride_on=1)
    assert (compiled.analysed.cost.macs, largest_field(compiled.analysed)) == FIRST_1X1[depth]
    assert compiled.analysed.cost.trainable == FIGURES[f"resnet:{depth}"][1]
    assert node(compiled.graph, "stage2_block1_residual_conv_bn_conv").shape == (28, 28, 128)
    assert node(network(f"resnet:{depth}").graph, "stage2_block1_residual_conv_bn_conv").shape == (56, 56, 128)


def test_resnet_names_do_not_depend_on_the_depth() -> None:
    names = {depth: {one.name for one in network(f"resnet:{depth}").graph.nodes} for depth in BLOCKS}
    assert names["50"] <= names["101"] <= {*names["101"], *names["152"]}
    assert names["50"] <= names["152"]
    assert names["18"] <= names["34"]
    assert "stage2_block3_residual_conv_bn_2_conv" in names["50"]
    assert {one.name for one in compile("resnet:50", stride_on=1).graph.nodes} == names["50"]


def test_resnet_convolutions_have_no_bias_and_pad_as_the_paper_does() -> None:
    graph = network("resnet:50").graph
    convolutions = [one for one in graph.nodes if one.operator.role is Role.CONVOLUTION]
    assert len(convolutions) == 53
    assert all(len(one.weights) == 1 for one in convolutions)
    assert node(graph, "conv1_conv").operator.attributes()["padding"] == 3
    assert node(graph, "max_pool").operator.attributes()["padding"] == 1


def test_resnet_kernels() -> None:
    graph = network("resnet:50").graph
    kernels = [node(graph, f"stage3_block2_residual_{one}_conv").weights[0].shape for one in ("conv_bn", "conv_bn_2", "conv_bn_3")]
    assert kernels == [(1, 1, 1024, 256), (3, 3, 256, 256), (1, 1, 256, 1024)]


# ZFNet, SqueezeNet, Network in Network, DenseNet, Darknet, ENet

def test_zfnet_maps() -> None:
    maps = [one.shape[0] for one in network("zfnet").graph.nodes if one.operator.name in ("conv", "max_pool")]
    assert maps == [110, 55, 26, 13, 13, 13, 13, 6]


def test_squeezenet_pools_stand_where_the_versions_differ() -> None:
    pools = {version: [reads(graph, f"max_pool{end}")[0] for end in ("", "_2", "_3")] for version in ("1.0", "1.1") for graph in [network(f"squeezenet:{version}").graph]}
    assert pools == {"1.0": ["conv1", "fire4_concat", "fire8_concat"], "1.1": ["conv1", "fire3_concat", "fire5_concat"]}
    assert reads(network("squeezenet:1.0").graph, "fire2_concat") == ["fire2_1x1_conv", "fire2_3x3_conv"]


def test_nin_convolutions() -> None:
    widths = [one.shape[-1] for one in network("nin:imagenet").graph.nodes if one.operator.name == "conv"]
    assert widths == [96] * 3 + [256] * 3 + [384] * 3 + [1024, 1024, 1000]
    assert [one.shape[-1] for one in network("nin:cifar10").graph.nodes if one.operator.name == "conv"] == [192, 160, 96, 192, 192, 192, 192, 192, 10]
    assert node(network("nin:imagenet").graph, "mlpconv_4_unit_3_relu").shape == (6, 6, 1000)


@pytest.mark.parametrize("variant", ["121", "161", "169", "201", "264", "40-12", "bc-100-12", "bc-190-40", "bc-250-24"])
def test_densenet_layers_add_their_growth(variant: str) -> None:
    graph = network(f"densenet:{variant}").graph
    joins = [one for one in graph.nodes if one.operator.name == "concat"]
    growths = set()
    for one in joins:
        features, new = (graph.nodes[tensor.node] for tensor in one.inputs)
        assert one.shape[-1] == features.shape[-1] + new.shape[-1]
        assert new.operator.name == "conv"
        growths.add(new.shape[-1])
    wanted = {"161": 48, "40-12": 12, "bc-100-12": 12, "bc-190-40": 40, "bc-250-24": 24}.get(variant, 32)
    assert growths == {wanted}
    assert sum(one.operator.name == "avg_pool" for one in graph.nodes) == (3 if variant.isdigit() else 2)


def test_densenet_of_both_libraries_differ_in_batch_normalisation_alone() -> None:
    norms = {}
    for variant in ("121", "121-keras"):
        graph = network(f"densenet:{variant}").graph
        norms[variant] = {(one.operator.attributes()["momentum"], one.operator.attributes()["epsilon"]) for one in graph.nodes if one.operator.name == "batch_norm"}
    assert norms == {"121": {(0.9, 1e-5)}, "121-keras": {(0.99, 1.001e-5)}}
    assert [one.name for one in network("densenet:121").graph.nodes] == [one.name for one in network("densenet:121-keras").graph.nodes]


def test_darknet_53_residuals() -> None:
    graph = network("darknet:53").graph
    ends = [one for one in graph.nodes if one.operator.name == "add"]
    assert [(one.shape[0], one.shape[-1]) for one in ends] == [(128, 64), *[(64, 128)] * 2, *[(32, 256)] * 8, *[(16, 512)] * 8, *[(8, 1024)] * 4]
    assert {one.operator.attributes()["slope"] for one in graph.nodes if one.operator.name == "leaky_relu"} == {0.1}


def test_enet_bottlenecks() -> None:
    graph = network("enet").graph
    assert sum(one.operator.name == "add" for one in graph.nodes) == 1 + 4 + 1 + 2 * 8
    dilations = [one.operator.attributes()["dilation"] for one in graph.nodes if one.operator.name == "conv"]
    assert [one for one in dilations if one not in (1, (1, 1))] in ([2, 4, 8, 16] * 2, [(2, 2), (4, 4), (8, 8), (16, 16)] * 2)
    rates = [one.operator.attributes()["rate"] for one in graph.nodes if one.operator.name == "spatial_dropout"]
    assert rates == [0.01] * 5 + [0.1] * 17
