"""The stage `train` as DVC runs it: what makes it run again, and how a network is added."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from reelflow.training.temperature import MOST, fit_temperature
from tests.checkout import Checkout, make_checkout

pytestmark = pytest.mark.slow

NETWORK = '''"""One number a clip."""

from reelflow.base.section import Section


class Settings(Section):
    units: int = 3


def build(shape, classes, mean, std, settings):
    import keras

    from reelflow.networks.layers import clips, probabilities

    inputs, x = clips(shape, mean, std)
    x = keras.layers.GlobalAveragePooling3D()(x)
    x = keras.layers.Dense(settings.units)(x)
    return keras.Model(inputs, probabilities(x, classes))
'''


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    checkout = make_checkout(tmp_path_factory.mktemp("train") / "project")
    checkout.set_params(train={"network": "r2plus1d", "r2plus1d": {"width": 4}, "epochs": 1})
    checkout.dvc("add", "data/raw")
    checkout.dvc("repro", "train")
    return checkout


@pytest.fixture
def copy(trained: Checkout, tmp_path: Path) -> Checkout:
    return trained.copy(tmp_path / "project")


def card(checkout: Checkout) -> dict[str, object]:
    read: dict[str, object] = json.loads((checkout.root / "models/model.json").read_text())
    return read


def test_settings_of_another_network_retrain_nothing(copy: Checkout) -> None:
    copy.set_params(train={"cnn_rnn": {"recurrent": "lstm", "dropout": 0.5}})
    copy.set_params(train={"auto": {"challengers": ["x3d"]}})
    assert "Data and pipelines are up to date" in copy.dvc("repro", "train")
    copy.set_params(train={"r2plus1d": {"width": 8}})
    assert "Running stage 'train'" in copy.dvc("repro", "train")


def test_the_card_holds_the_settings_of_its_own_network_alone(trained: Checkout) -> None:
    params = card(trained)["params"]
    assert isinstance(params, dict)
    assert params["r2plus1d.width"] == 4
    assert {"epochs", "network", "r2plus1d.dropout"} <= params.keys()
    assert not [name for name in params if name.startswith(("cnn", "cnn_rnn"))]


def test_the_temperature_comes_from_the_validation_videos(trained: Checkout) -> None:
    left_out = pd.read_csv(trained.root / "models/left_out.csv").set_index("hash")
    watched = pd.read_csv(trained.root / "data/prepared/validation.csv")
    assert sorted(left_out.index) == sorted(watched["hash"])
    labels = card(trained)["labels"]
    assert isinstance(labels, list)
    found = left_out.loc[watched["hash"], [f"p_{label}" for label in labels]]
    # What is kept has the temperature, so a fit to it finds nothing to mend, unless it is the most.
    again = fit_temperature(found.to_numpy(float), watched["target"].to_numpy())
    kept = float(str(card(trained)["temperature"]))
    assert again == pytest.approx(1.0, abs=0.02) or kept == pytest.approx(MOST, rel=0.01)


def test_a_network_is_one_file_and_one_line(copy: Checkout) -> None:
    (copy.root / "reelflow/networks/mean_pixel.py").write_text(NETWORK)
    listed = copy.root / "reelflow/networks/__init__.py"
    text = listed.read_text()
    assert '    "r2plus1d",\n' in text
    listed.write_text(text.replace('    "r2plus1d",\n', '    "r2plus1d",\n    "mean_pixel",\n'))
    # Whoever uses it writes so into params.
    copy.set_params(train={"network": "mean_pixel", "mean_pixel": {"units": 5}})
    copy.dvc("repro", "train")
    assert card(copy)["network"] == "mean_pixel"
    params = card(copy)["params"]
    assert isinstance(params, dict)
    assert params["mean_pixel.units"] == 5
