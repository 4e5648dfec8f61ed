"""The whole pipeline with a network that reads embeddings."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from reelflow.networks.transfer import CANDIDATES, Settings, candidates
from reelflow.training.group_folds import group_folds
from tests.checkout import Checkout, make_checkout
from tests.flows.prefect_api import PrefectApi

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory, prefect_api: PrefectApi) -> Checkout:
    checkout = make_checkout(tmp_path_factory.mktemp("transfer") / "project", clips_per_class=4)
    checkout.served(prefect_api).set_params(train={"network": "transfer"}, embed={"frames": 8})
    checkout.call("reelflow", "run")
    return checkout


@pytest.fixture
def copy(done: Checkout, tmp_path: Path) -> Checkout:
    return done.copy(tmp_path / "project")


def read(checkout: Checkout, path: str) -> Any:
    return json.loads((checkout.root / path).read_text("utf-8"))


def test_the_features_are_chosen_by_folds_and_the_choice_stands_in_the_card(done: Checkout) -> None:
    card = read(done, "models/model.json")
    names = [one["features"] for one in card["candidates"]]
    assert names[: len(CANDIDATES)] == list(CANDIDATES)
    (chosen,) = (one["features"] for one in card["candidates"] if one["chosen"])
    shares = {one["features"]: one["share"] for one in card["candidates"] if "share" in one}
    # With so few videos an average is chosen: this is what it is made of.
    assert chosen == f"average of {', '.join(shares)}"
    assert sum(shares.values()) == pytest.approx(1)
    made = read(done, "metrics/embed.json")["blocks"]
    assert set(card["blocks"]) <= set(made)
    # Whatever is made is in a candidate, and each candidate has something.
    used = candidates(Settings(), made)
    assert all(used.values())
    assert set(made) == {block for blocks in used.values() for block in blocks}
    report = (done.root / "reports/index.html").read_text("utf-8")
    assert chosen in report
    assert f"{max(shares.values()):.0%} of the average" in report


def test_each_video_that_is_learned_from_is_also_answered_by_the_fold_without_it(
    done: Checkout,
) -> None:
    known = [pd.read_csv(done.root / f"data/prepared/{n}.csv") for n in ("train", "validation")]
    left_out = pd.read_csv(done.root / "models/left_out.csv")
    assert list(left_out["hash"]) == sorted(pd.concat(known)["hash"])
    # These answers are calibrated already, by the same rule.
    assert read(done, "models/model.json")["temperature"] == pytest.approx(1.0, abs=0.02)
    answers = left_out.filter(like="p_").to_numpy()
    assert 0.3 < answers.max(axis=1).mean() < 0.95


def test_the_registered_model_gives_what_was_evaluated(done: Checkout) -> None:
    table = pd.read_csv(done.root / "reports/predictions.csv").head(3)
    paths = [f"data/raw/{path}" for path in table["path"]]
    printed = done.call("reelflow", "predict", "--json", "--model", "models:/reelflow/1", *paths)
    answers = json.loads(printed.stdout[printed.stdout.index("[\n") :])
    labels = [column for column in table.columns if column.startswith("p_")]
    for answer, (_, row) in zip(answers, table.iterrows(), strict=True):
        found = [answer["probabilities"][label.removeprefix("p_")] for label in labels]
        assert found == row[labels].tolist()


def test_another_head_embeds_nothing_and_gives_another_model(copy: Checkout) -> None:
    before = copy.hashes()
    copy.set_params(train={"transfer": {"features": "appearance"}})
    out = copy.dvc("repro", "train")
    assert "Running stage 'embed'" not in out
    assert "Running stage 'train'" in out
    assert copy.hashes()["models"] != before["models"]
    assert all(block.startswith("whole/") for block in read(copy, "models/model.json")["blocks"])


def test_a_memory_that_was_lost_gives_the_same_bits_and_a_kept_one_costs_nothing(
    copy: Checkout,
) -> None:
    before = copy.hashes()
    copy.set_params(embed={"timeout_s": 99.0})
    assert "0 new" in copy.dvc("repro", "embed")
    for file in copy.root.glob(".reelflow/features/*/*.npy"):
        file.unlink()
    copy.set_params(embed={"timeout_s": 98.0})
    assert " 0 kept" in copy.dvc("repro", "embed")
    assert copy.hashes() == before


def test_auto_tries_its_challengers_on_the_same_folds_with_their_settings(copy: Checkout) -> None:
    challengers = {"r2plus1d": {"width": 4}, "cnn": {}}
    copy.set_params(train={"network": "auto", "epochs": 1, "auto": {"challengers": challengers}})
    out = copy.dvc("repro", "evaluate")
    assert "0 new" in out
    card = read(copy, "models/model.json")
    assert card["network"] in ("transfer", *challengers)
    assert card["params"]["auto.challengers.r2plus1d.width"] == 4
    *heads, cheap, dear = card["candidates"]
    # At this size the three convolutions of `cnn` cost more than a network of width 4.
    assert [one["features"] for one in (cheap, dear)] == ["network r2plus1d", "network cnn"]
    report = (copy.root / "reports/index.html").read_text("utf-8")
    for network in (cheap, dear):
        assert network["chosen"] == (network["features"] == f"network {card['network']}")
        assert 0 <= network["balanced_accuracy"] <= 1
        assert network["features"] in report
    assert ("embedding" in card) == any(head["chosen"] for head in heads)
    copy.set_params(train={"r2plus1d": {"width": 8}})
    assert "up to date" in copy.dvc("status", "train")
    challengers["r2plus1d"]["width"] = 8
    copy.set_params(train={"auto": {"challengers": challengers}})
    assert "train.auto" in copy.dvc("status", "train")


def test_what_costs_more_than_the_budget_is_not_tried(copy: Checkout) -> None:
    copy.set_params(train={"network": "auto", "auto": {"budget_minutes": 0.0}})
    copy.dvc("repro", "evaluate")
    card = read(copy, "models/model.json")
    assert card["network"] == "transfer"
    assert "balanced_accuracy" not in card["candidates"][-1]
    assert "not tried" in (copy.root / "reports/index.html").read_text("utf-8")


def test_a_network_that_reads_frames_needs_no_embedding(copy: Checkout) -> None:
    copy.set_params(train={"network": "cnn"})
    copy.dvc("repro", "train")
    told = read(copy, "metrics/embed.json")
    assert (told["blocks"], told["videos"]) == ([], 0)
    assert "embedding" not in read(copy, "models/model.json")


def lose_embeddings(checkout: Checkout, hashes: list[str]) -> None:
    """As if `embed` had failed on some: the store has no row of them."""
    root = checkout.root / "data/embeddings"
    videos = pd.read_csv(root / "videos.csv", dtype=str)
    keep = ~videos["hash"].isin(hashes)
    for file in root.glob("*.npy"):
        matrix = np.load(file)
        file.unlink()  # it is a link into DVC's cache
        np.save(file, matrix[keep])
    (root / "videos.csv").unlink()
    videos[keep].to_csv(root / "videos.csv", index=False)


def test_a_video_without_an_embedding_is_neither_learned_nor_tested(copy: Checkout) -> None:
    test = pd.read_csv(copy.root / "data/prepared/test.csv", dtype=str)
    train = pd.read_csv(copy.root / "data/prepared/train.csv", dtype=str)
    lose_embeddings(copy, [test["hash"].iloc[0], train["hash"].iloc[0]])
    copy.call("python", "-m", "tasks.train")
    out = copy.call("python", "-m", "tasks.evaluate").stdout
    assert test["path"].iloc[0] in out
    tested = pd.read_csv(copy.root / "reports/predictions.csv", dtype=str)
    assert set(tested["hash"]) == set(test["hash"][1:])


def test_auto_judges_both_on_the_folds_of_the_same_videos(copy: Checkout) -> None:
    prepared = copy.root / "data/prepared"
    tables = [
        pd.read_csv(prepared / f"{name}.csv", dtype={"hash": str, "group": str})
        for name in ("train", "validation")
    ]
    videos = pd.concat(tables, ignore_index=True)

    def left_out(known: pd.DataFrame) -> int:
        groups = list(known["group"].fillna(known["hash"]))
        return len(group_folds(known["target"].to_numpy(), groups)[0][1])

    without = {gone: left_out(videos[videos["hash"] != gone]) for gone in videos["hash"]}
    gone = next(video for video, size in without.items() if size != left_out(videos))
    lose_embeddings(copy, [gone])
    copy.set_params(train={"network": "auto", "epochs": 1})
    out = copy.call("python", "-m", "tasks.train").stdout
    assert f"fold 1: learning, to be judged on {without[gone]} videos" in out
    # One video less leaves a class with one group in a fold, so that nothing can be watched there.
    *_, network = read(copy, "models/model.json")["candidates"]
    assert network["not_tried"] == "too few groups"
    assert not network["chosen"]
