from __future__ import annotations

from reelflow.networks import reads
from reelflow.networks.transfer import CANDIDATES, Settings, candidates

BLOCKS = [
    f"{view}/{layer}/{statistic}"
    for view in ("whole", "motion")
    for layer in ("top", "fine")
    for statistic in ("mean", "root_local_differences")
]


def test_a_candidate_has_the_blocks_of_its_view_and_statistic_of_all_layers() -> None:
    found = candidates(Settings(), BLOCKS)
    assert list(found) == list(CANDIDATES)
    assert found["motion"] == (
        "motion/top/root_local_differences",
        "motion/fine/root_local_differences",
    )
    assert set(found["motion_and_appearance"]) == {
        *found["motion"],
        "whole/top/mean",
        "whole/fine/mean",
    }


def test_features_that_are_named_are_the_only_candidate() -> None:
    assert list(candidates(Settings(features="whole"), BLOCKS)) == ["whole"]


def test_every_candidate_can_be_named_in_params() -> None:
    for name in CANDIDATES:
        assert Settings(features=name).features == name  # type: ignore[arg-type]


def test_networks_say_what_they_read() -> None:
    assert reads("transfer") == "embeddings"
    assert reads("r2plus1d") == "frames"
