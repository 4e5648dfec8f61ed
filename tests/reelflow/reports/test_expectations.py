"""Every expectation, broken once: the defect must be found, in the right rows, and nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from reelflow.base.errors import DataError
from reelflow.params.validate import ValidateParams
from reelflow.reports import data_docs
from reelflow.reports.expectations import BLACK, FROZEN, Finding, checks, of_state
from reelflow.reports.observations import observe
from reelflow.reports.run_expectations import judge
from reelflow.store.clip_spec import Clip, ClipSpec
from reelflow.store.frame_store import FrameStore
from reelflow.store.shards import record_of, write_shard
from tests.conftest import ROOT
from tests.dataset import grid, manifest_of, write_store

Spoil = Callable[[pd.DataFrame, FrameStore], pd.DataFrame | None]


@pytest.fixture
def manifest(tmp_path: Path) -> pd.DataFrame:
    """As it comes back from a file."""
    manifest_of(grid()).to_parquet(tmp_path / "manifest.parquet")
    return pd.read_parquet(tmp_path / "manifest.parquet")


@pytest.fixture
def store(tmp_path: Path, manifest: pd.DataFrame) -> FrameStore:
    write_store(tmp_path / "frames", manifest, alone=True)
    return FrameStore(tmp_path / "frames")


def judged(
    manifest: pd.DataFrame, store: FrameStore, params: ValidateParams | None = None
) -> list[Finding]:
    tables = observe(manifest, store)
    return judge(tables, checks(store.spec, params or ValidateParams(), tables, "again"))


def test_a_sound_data_set_meets_every_expectation(
    manifest: pd.DataFrame, store: FrameStore
) -> None:
    findings = judged(manifest, store)
    assert len(findings) > 40
    assert len(of_state(findings, "held")) == len(findings)
    page = data_docs.render(findings)
    assert f"{len(findings)} of {len(findings)} expectations hold" in page
    assert all(finding.check.claim in page for finding in findings if "'" not in finding.sentence)


def text_of(page: str) -> str:
    """Without what a page has around code and quotes."""
    for mark in ("<code>", "</code>", "`"):
        page = page.replace(mark, "")
    return page.replace("&#39;", "'")


def set_cell(column: str, value: object) -> Spoil:
    def spoil(manifest: pd.DataFrame, store: FrameStore) -> None:
        manifest.loc[3, column] = value

    return spoil


def retype(column: str, dtype: str) -> Spoil:
    return lambda manifest, store: manifest.astype({column: dtype})


def set_statistic(column: str, value: float) -> Spoil:
    def spoil(manifest: pd.DataFrame, store: FrameStore) -> None:
        store.index.loc[manifest.at[3, "hash"], column] = value

    return spoil


def rewrite_clip(change: Callable[[Clip], Clip], *, indexed: bool = True) -> Spoil:
    """Change the clip of row 3, and its times in the index with it."""

    def spoil(manifest: pd.DataFrame, store: FrameStore) -> None:
        video = manifest.at[3, "hash"]
        times = np.asarray(store.index.at[video, "timestamps"])
        clip = change(Clip(store.frames(video), times))
        write_shard(store.root / store.index.at[video, "shard"], record_of(video, clip))
        if indexed:
            store.index.at[video, "timestamps"] = clip.timestamps

    return spoil


def shard_bytes(change: Callable[[bytes], bytes | None]) -> Spoil:
    """Change the shard of the clip of row 3; None removes it."""

    def spoil(manifest: pd.DataFrame, store: FrameStore) -> None:
        path = store.root / store.index.at[manifest.at[3, "hash"], "shard"]
        content = change(path.read_bytes())
        path.unlink()
        if content is not None:
            path.write_bytes(content)

    return spoil


def same_hash(manifest: pd.DataFrame, store: FrameStore) -> pd.DataFrame:
    """Two videos of one label with the same content."""
    video = manifest.at[2, "hash"]
    store.index = store.index.drop(index=manifest.at[3, "hash"])
    return manifest.assign(hash=manifest["hash"].where(manifest.index != 3, video))


def other_label(manifest: pd.DataFrame, store: FrameStore) -> pd.DataFrame:
    """The same content under two labels."""
    manifest = same_hash(manifest, store)
    return manifest.assign(label=manifest["label"].where(manifest.index != 3, "jump"))


def no_frames(manifest: pd.DataFrame, store: FrameStore) -> None:
    store.index = store.index.drop(index=manifest.at[3, "hash"])


def no_video(manifest: pd.DataFrame, store: FrameStore) -> pd.DataFrame:
    return manifest.drop(index=3)


def shift(by: float) -> Callable[[Clip], Clip]:
    return lambda clip: Clip(clip.frames, clip.timestamps + by)


@pytest.mark.parametrize(
    ("spoil", "broken"),
    [
        (set_cell("bytes", 0), {"range_bytes"}),
        (set_cell("width", 70_000), {"range_width"}),
        (set_cell("fps", -1.0), {"range_fps"}),
        (set_cell("duration", None), {"given_duration"}),
        (set_cell("rotation", 45), {"rotation"}),
        (set_cell("label", " "), {"label_form", "videos_per_class", "groups_per_class"}),
        (set_cell("split", "dev"), {"split_known"}),
        (set_cell("path", "bend/g0_0.mp4"), {"path_unique"}),
        (retype("frames", "float64"), {"type_frames"}),
        (same_hash, {"hash_unique"}),
        (other_label, {"hash_unique", "one_label"}),
        (no_frames, {"paired"}),
        (no_video, {"paired"}),
        (shard_bytes(lambda content: content[:500]), {"whole"}),
        (shard_bytes(lambda content: b""), {"whole"}),
        (shard_bytes(lambda content: None), {"whole"}),
        (rewrite_clip(lambda c: Clip(c.frames[:, 1:], c.timestamps)), {"shape"}),
        (rewrite_clip(lambda c: Clip(c.frames[:3], c.timestamps[:3])), {"shape", "times"}),
        (rewrite_clip(lambda c: Clip(c.frames.astype(np.int16), c.timestamps)), {"shape"}),
        (rewrite_clip(shift(0.5), indexed=False), {"whole"}),
        (rewrite_clip(shift(-0.1)), {"start"}),
        (rewrite_clip(shift(0.88)), {"end"}),
        (rewrite_clip(lambda c: Clip(c.frames, c.timestamps[::-1].copy())), {"order"}),
        (set_statistic("brightness", 300.0), {"range_brightness"}),
        (set_statistic("brightness", 3.9), {BLACK}),
    ],
)
def test_a_defect_breaks_the_expectation_that_names_it(
    manifest: pd.DataFrame, store: FrameStore, spoil: Spoil, broken: set[str]
) -> None:
    path, video = manifest.at[3, "path"], manifest.at[3, "hash"]
    names = (path, f"clip {video}", store.index.at[video, "shard"], "bend/g0_0.mp4", "( )")
    changed = spoil(manifest, store)
    findings = judged(manifest if changed is None else changed, store)
    found, page = of_state(findings, "broken"), data_docs.render(findings)
    assert {finding.check.key for finding in found} == broken
    for finding in found:
        assert text_of(finding.sentence) in text_of(page)
        named = any(name in finding.sentence for name in names)
        assert named or finding.check.key == "type_frames"


def test_as_many_black_and_frozen_clips_as_are_allowed_are_warned_of(
    manifest: pd.DataFrame, store: FrameStore
) -> None:
    store.index.iloc[0, store.index.columns.get_loc("brightness")] = 0.0
    store.index.iloc[1:4, store.index.columns.get_loc("change")] = 0.0
    allowed = ValidateParams(max_black_share=1 / 36, max_frozen_share=3 / 36)
    warned = of_state(judged(manifest, store, allowed), "warning")
    assert {finding.check.key: finding.count for finding in warned} == {BLACK: 1, FROZEN: 3}
    fewer = ValidateParams(max_black_share=0.9 / 36, max_frozen_share=2.9 / 36)
    broken = of_state(judged(manifest, store, fewer), "broken")
    assert {finding.check.key for finding in broken} == {BLACK, FROZEN}


@pytest.mark.parametrize("treatment", ["ignore", "warn", "stop"])
def test_a_class_a_group_is_treated_as_params_say(tmp_path: Path, treatment: str) -> None:
    videos = manifest_of([(path, path[:7]) for path, _ in grid()])
    write_store(tmp_path / "frames", videos)
    params = ValidateParams.model_validate({"single_label_groups": treatment})
    findings = judged(videos, FrameStore(tmp_path / "frames"), params)
    states = [finding.state for finding in findings if finding.check.table == "groups"]
    assert states == {"ignore": [], "warn": ["warning"], "stop": ["broken"]}[treatment]


def test_one_group_that_mixes_classes_is_enough(manifest: pd.DataFrame, store: FrameStore) -> None:
    manifest["group"] = manifest["path"].str[:7]
    manifest.loc[[0, 12], "group"] = "mixed"
    assert not of_state(judged(manifest, store), "warning")


def test_too_few_videos_and_groups_of_a_class_name_the_class(tmp_path: Path) -> None:
    videos = manifest_of([*grid(("bend", "jump")), *grid(("rare",), groups=2, videos=1)])
    write_store(tmp_path / "frames", videos)
    broken = of_state(judged(videos, FrameStore(tmp_path / "frames")), "broken")
    assert [finding.check.key for finding in broken] == ["videos_per_class", "groups_per_class"]
    assert "not so for 1 of 3 classes (rare)" in broken[0].sentence


def test_a_data_set_of_one_class_breaks_an_expectation(tmp_path: Path) -> None:
    videos = manifest_of(grid(("bend",)))
    write_store(tmp_path / "frames", videos)
    findings = judged(
        videos, FrameStore(tmp_path / "frames"), ValidateParams(single_label_groups="ignore")
    )
    broken = of_state(findings, "broken")
    assert [finding.sentence for finding in broken] == [
        "There are at least two classes: not so; found was 1. Add videos of another class."
    ]


def test_a_clip_of_one_frame_cannot_be_frozen_and_a_video_of_one_has_no_end(
    tmp_path: Path,
) -> None:
    videos = manifest_of([(path, None) for path, _ in grid()])
    videos["frames"], videos["duration"] = 1, 0.0
    videos.to_parquet(tmp_path / "manifest.parquet")
    videos = pd.read_parquet(tmp_path / "manifest.parquet")
    write_store(tmp_path / "frames", videos, ClipSpec(1, 16, 16))
    findings = judged(videos, FrameStore(tmp_path / "frames"))
    assert len(of_state(findings, "held")) == len(findings)
    assert FROZEN not in {finding.check.key for finding in findings}


def test_a_manifest_without_rows_is_a_sentence(manifest: pd.DataFrame, store: FrameStore) -> None:
    with pytest.raises(DataError, match="has no rows"):
        observe(manifest.iloc[:0], store)


def test_the_page_loads_nothing_from_elsewhere_and_shows_names_as_text(
    manifest: pd.DataFrame, store: FrameStore
) -> None:
    manifest.loc[3, ["path", "bytes"]] = ["bend/<img src=x onerror=alert(1)>$A.mp4", 0]
    page = data_docs.render(judged(manifest, store))
    assert "://" not in page
    assert "<img" not in page
    assert "bend/&lt;img src=x onerror=alert(1)&gt;$A.mp4" in page


@pytest.mark.slow
def test_the_same_tables_give_the_same_page_in_another_process(
    tmp_path: Path, manifest: pd.DataFrame, store: FrameStore
) -> None:
    manifest.loc[3:9, "bytes"] = [0, -1, 0, -3, -1, 0, -9]
    here = data_docs.render(judged(manifest, store))
    assert data_docs.render(judged(manifest.sample(frac=1, random_state=0), store)) == here
    manifest.to_parquet(tmp_path / "spoilt.parquet")
    program = (
        "import sys, pandas as pd; from pathlib import Path\n"
        "from tests.reelflow.reports.test_expectations import data_docs, judged, FrameStore\n"
        "folder = Path(sys.argv[1])\n"
        "store = FrameStore(folder / 'frames')\n"
        "page = data_docs.render(judged(pd.read_parquet(folder / 'spoilt.parquet'), store))\n"
        "(folder / 'page.html').write_text(page)\n"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo"}
    command = [sys.executable, "-c", program, str(tmp_path)]
    subprocess.run(command, check=True, cwd=ROOT, env=environment, timeout=600)
    assert (tmp_path / "page.html").read_text("utf-8") == here


def test_near_duplicates_of_two_labels_are_named(manifest: pd.DataFrame, store: FrameStore) -> None:
    manifest.loc[[0, 1], "alike"] = "one label"
    manifest.loc[[3, 15], "alike"] = "two labels"
    for choice, state in (("warn", "warning"), ("stop", "broken")):
        params = ValidateParams(conflicting_near_duplicates=choice)  # type: ignore[arg-type]
        (finding,) = of_state(judged(manifest, store, params), state)
        assert "Near-duplicates have one label" in finding.sentence
        assert "not so for 1 of 2 sets of near-duplicates" in finding.sentence
        assert f"{manifest.at[3, 'path']} and {manifest.at[15, 'path']}" in finding.sentence
    ignored = judged(manifest, store, ValidateParams(conflicting_near_duplicates="ignore"))
    assert len(of_state(ignored, "held")) == len(ignored)
