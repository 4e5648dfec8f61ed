"""What cannot be loaded is refused with what could be."""

from __future__ import annotations

from pathlib import Path

import pytest

from reelflow.backbones import backbone, weights_id
from reelflow.base.errors import ParamsError

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("Nonsense", {}, "mobilenet_025, .*ResNet50"),
        ("mobilenet_025", {"layers": ["nowhere"]}, "no layer 'nowhere'.*conv_pw_13_relu"),
        ("ResNet50", {}, "needs a file of its weights.*download: true"),
        ("missing.keras", {}, "missing.keras cannot be read"),
        ("MobileNet", {"weights": Path("missing.h5")}, "missing.h5 does not fit MobileNet"),
    ],
)
def test_what_cannot_be_loaded_is_refused(
    name: str, options: dict[str, object], words: str
) -> None:
    with pytest.raises(ParamsError, match=words):
        backbone(name, **options)  # type: ignore[arg-type]


def test_weights_that_cannot_be_read_are_refused() -> None:
    with pytest.raises(ParamsError, match=r"missing\.keras"):
        weights_id("missing.keras")


def test_a_file_of_ones_own_is_a_backbone(tmp_path: Path) -> None:
    import keras

    pictures = keras.Input((8, 8, 3))
    maps = keras.layers.Conv2D(4, 3, name="maps")(keras.layers.Rescaling(1 / 255)(pictures))
    keras.Model(pictures, maps).save(tmp_path / "own.keras")
    loaded = backbone(str(tmp_path / "own.keras"))
    assert {name: map_.shape for name, map_ in loaded.output.items()} == {"maps": (None, 6, 6, 4)}
