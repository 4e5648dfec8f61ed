"""What cannot be loaded is refused with what could be."""

from __future__ import annotations

import pickle
import struct
import sys
from collections import OrderedDict
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from reelflow.backbones import backbone, weights_id
from reelflow.backbones.efficientnet_lite import read_state
from reelflow.base.errors import ParamsError

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("Nonsense", {}, "mobilenet_025, efficientnet_lite0, .*ResNet50"),
        ("mobilenet_025", {"layers": ["nowhere"]}, "no layer 'nowhere'.*conv_pw_13_relu"),
        ("ResNet50", {}, "needs a file of its weights.*download: true"),
        ("efficientnet_lite0", {"weights": Path(__file__)}, "does not fit efficientnet_lite0"),
        ("missing.keras", {}, "missing.keras does not fit"),
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


def test_a_state_dict_may_hold_nothing_but_tensors(tmp_path: Path) -> None:
    path = tmp_path / "evil.pth"
    path.write_bytes(pickle.dumps(print))
    with pytest.raises(ValueError, match="print is not allowed"):
        read_state(path)


def test_a_state_dict_is_read_with_its_strides(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Written as torch does: the tensors, then the numbers of each storage."""
    torch, utils = ModuleType("torch"), ModuleType("torch._utils")

    def rebuild(*parts: object) -> None:
        raise AssertionError(parts)

    rebuild.__module__, rebuild.__qualname__ = "torch._utils", "_rebuild_tensor_v2"
    kind = type("FloatStorage", (), {"__module__": "torch"})
    utils._rebuild_tensor_v2, torch.FloatStorage = rebuild, kind  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "torch", torch)
    monkeypatch.setitem(sys.modules, "torch._utils", utils)

    class Storage:
        pass

    class Tensor:
        def __init__(self, stride: tuple[int, int]) -> None:
            self.stride = stride

        def __reduce__(self) -> tuple[object, ...]:
            return rebuild, (Storage(), 1, (2, 3), self.stride, False, OrderedDict())

    class Pickler(pickle.Pickler):
        def persistent_id(self, value: object) -> object:
            return ("storage", kind, "7", "cpu", 7) if isinstance(value, Storage) else None

    path = tmp_path / "state.pth"
    with path.open("wb") as file:
        state = OrderedDict(rows=Tensor((3, 1)), columns=Tensor((1, 2)))
        for part in (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True}, state, ["7"]):
            Pickler(file, 2).dump(part)
        file.write(struct.pack("<q", 7) + np.arange(7, dtype="<f4").tobytes())
    found = read_state(path)
    assert found["rows"].tolist() == [[1, 2, 3], [4, 5, 6]]
    assert found["columns"].tolist() == [[1, 3, 5], [2, 4, 6]]
    path.write_bytes(path.read_bytes()[:-4])
    with pytest.raises(ValueError, match="larger than its numbers"):
        read_state(path)


def test_efficientnet_lite0_is_read_from_its_wheel() -> None:
    ramp = np.tile(np.linspace(0, 255, 224, dtype=np.float32)[:, None, None], (1, 1, 224, 3))
    maps = backbone("efficientnet_lite0").predict_on_batch(ramp)["block11_expand_relu"]
    assert maps.shape == (1, 14, 14, 672)
    # As another reader of the same file has it, which was checked on known pictures.
    assert maps.mean() == pytest.approx(0.101225, rel=1e-4)
