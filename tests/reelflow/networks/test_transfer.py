from __future__ import annotations

from reelflow.networks import reads
from reelflow.networks.transfer import CANDIDATES, Settings, candidates

TOP, FINE, SECOND = "conv_pw_13_relu", "conv_pw_11_relu", "block11_expand_relu"
FLOW = "whole/flow/statistics"
# As `embed` makes them; a test of the whole pipeline sees that.
BLOCKS = [
    f"{view}/{layer}/{statistic}"
    for view in ("whole", "motion")
    for layer in (TOP, FINE)
    for statistic in ("mean", "root_local_differences")
]
BLOCKS += [f"motion/{SECOND}/root_local_differences", FLOW]


def test_a_candidate_has_the_blocks_of_its_view_network_and_statistic_of_all_layers() -> None:
    found = candidates(Settings(), BLOCKS)
    assert list(found) == list(CANDIDATES)
    motion = [f"motion/{layer}/root_local_differences" for layer in (TOP, FINE, SECOND)]
    appearance = [f"whole/{layer}/mean" for layer in (TOP, FINE)]
    assert {name: sorted(blocks) for name, blocks in found.items()} == {
        "flow": [FLOW],
        "appearance": sorted(appearance),
        "whole": sorted(f"whole/{layer}/root_local_differences" for layer in (TOP, FINE)),
        "motion": sorted(motion[:2]),
        "motion_and_appearance": sorted(motion[:2] + appearance),
        "flow_and_appearance": sorted([FLOW, *(f"motion/{layer}/mean" for layer in (TOP, FINE))]),
        "motion_of_two_networks": sorted(motion),
    }


def test_of_one_network_of_ones_own_no_candidate_comes_twice() -> None:
    blocks = [
        f"{view}/top/{statistic}"
        for view in ("whole", "motion")
        for statistic in ("mean", "root_local_differences")
    ]
    found = candidates(Settings(), [*blocks, FLOW])
    assert found["motion"] == ("motion/top/root_local_differences",)
    assert found["motion_and_appearance"] == (*found["motion"], "whole/top/mean")
    assert "motion_of_two_networks" not in found
    assert candidates(Settings(features="motion_of_two_networks"), blocks) == {
        "motion_of_two_networks": found["motion"]
    }


def test_features_that_are_named_are_the_only_candidate() -> None:
    assert list(candidates(Settings(features="whole"), BLOCKS)) == ["whole"]


def test_every_candidate_can_be_named_in_params() -> None:
    for name in CANDIDATES:
        assert Settings(features=name).features == name  # type: ignore[arg-type]


def test_networks_say_what_they_read() -> None:
    assert reads("transfer") == "embeddings"
    assert reads("r2plus1d") == "frames"
