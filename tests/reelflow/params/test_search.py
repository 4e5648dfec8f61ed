"""The section `search`: what of the space matters for a network, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from reelflow.base.errors import ParamsError
from reelflow.params import load_section
from reelflow.params.search import Range, SearchParams, trained
from reelflow.params.train import TrainParams


def test_a_head_takes_its_own_settings_and_a_network_the_shared_ones_too() -> None:
    search = SearchParams(
        space={
            "network": ["transfer", "cnn_rnn"],
            "transfer.features": ["auto"],
            "cnn_rnn.dropout": {"low": 0.1, "high": 0.5},
            "augment.mixup": [0.0, 0.2],
            "epochs": {"low": 5, "high": 40},
        }
    )
    assert dict(search.dimensions("transfer")) == {"transfer.features": ("auto",)}
    assert list(dict(search.dimensions("cnn_rnn"))) == [
        "cnn_rnn.dropout",
        "augment.mixup",
        "epochs",
    ]
    assert dict(search.dimensions("cnn"))["epochs"] == Range(5, 40)
    assert Range(5, 40).whole
    assert not Range(0.1, 40).whole
    assert search.networks("cnn") == ["transfer", "cnn_rnn"]
    assert SearchParams(space={}).networks("cnn") == ["cnn"]


def test_values_by_dotted_names_are_those_of_the_section() -> None:
    found = trained(TrainParams(), {"cnn_rnn.dropout": 0.5, "epochs": 3, "augment.mixup": 0.2})
    assert (found.settings("cnn_rnn").model_dump()["dropout"], found.epochs) == (0.5, 3)
    assert found.augment.mixup == 0.2
    assert trained(TrainParams(), {}) == TrainParams()


@pytest.mark.parametrize(
    ("space", "says"),
    [
        ("epoch: [3]", "names and values of `train`, and epoch: 3 is none"),
        ("epochs: [3, 0]", "names and values of `train`, and epochs: 0 is none"),
        ("epochs.most: [3]", "and epochs.most: 3 is none"),
        ("epochs: 3", "for each name a list of values"),
        ("epochs: {low: 5, high: 5}", "for each name a list of values"),
        ("learning_rate: {low: 0.0, high: 0.1, log: true}", "for each name a list of values"),
        ("learning_rate: {low: 0.001, high: many}", "for each name a list of values"),
        ("network: [resnet]", "network: 'resnet' is none"),
    ],
)
def test_a_space_that_train_would_refuse_is_a_sentence(
    tmp_path: Path, space: str, says: str
) -> None:
    path = tmp_path / "params.yaml"
    path.write_text(f"search:\n  space:\n    {space}\n")
    with pytest.raises(ParamsError, match="`search.space`") as refused:
        load_section(path, SearchParams)
    assert says in str(refused.value)
