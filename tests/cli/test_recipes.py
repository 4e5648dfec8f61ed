"""The commands of docs/recipes.md, read from the page, on tiny folders of the same layout."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest

from reelflow.dataset.split_ledger import Ledger
from reelflow.dataset.splits import divide
from reelflow.intake.labelled_videos import LabelledVideo
from reelflow.intake.read_folder_or_csv import list_videos
from tests.checkout import Checkout, make_project
from tests.conftest import ROOT, MakeVideo

PAGE = (ROOT / "docs" / "recipes.md").read_text(encoding="utf-8")
SHARES = {"train": 0.65, "validation": 0.15, "test": 0.2}


def commands(heading: str) -> list[str]:
    """The blocks of commands under a heading of the page."""
    section = PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    blocks: list[str] = re.findall(r"```\n(.*?)```", section, re.DOTALL)
    assert blocks
    return blocks


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return make_project(tmp_path / "home" / "project")


@pytest.fixture
def sets(tmp_path: Path) -> Path:
    """The folder that the page calls ~/datasets."""
    folder = tmp_path / "home" / "datasets"
    folder.mkdir(parents=True)
    return folder


def put(root: Path, name: str, text: str | None = None) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(name if text is None else text, encoding="utf-8")


def tree(root: Path) -> dict[str, tuple[int, bytes]]:
    return {
        str(path.relative_to(root)): (
            path.lstat().st_mtime_ns,
            path.read_bytes() if path.is_file() else b"",
        )
        for path in root.rglob("*")
    }


def run(checkout: Checkout, command: str) -> str:
    """Preview the command of the page, which must write nothing, and then run it as it stands."""
    before = tree(checkout.root.parent)
    dry = re.sub(r"reelflow (import|remove)", r"reelflow \1 --dry-run", command)
    said = checkout.call("bash", "-ec", dry).stdout
    assert tree(checkout.root.parent) == before
    checkout.call("bash", "-ec", command)
    return said


def raw(checkout: Checkout) -> dict[str, LabelledVideo]:
    return {video.path: video for video in list_videos(checkout.root / "data" / "raw")}


def division(checkout: Checkout, tmp_path: Path) -> dict[str, str]:
    """The split that `preprocess` gives each video, with nothing remembered."""
    videos = list(raw(checkout).values())
    table = pd.DataFrame([vars(video) for video in videos]).astype(object)
    table["hash"] = [f"{number:064x}" for number in range(len(table))]
    found = divide(table.assign(alike=None), Ledger.read(tmp_path / "none.csv"), SHARES, 0).videos
    return dict(zip(found["path"], found["split"], strict=True))


def test_ucf101_with_its_official_split_as_far_as_the_split_table(
    checkout: Checkout, sets: Path, make_video: MakeVideo
) -> None:
    lists: dict[str, list[str]] = {"train": [], "test": []}
    for number, label in enumerate(("Archery", "Biking"), 1):
        for group in range(1, 6):
            name = f"{label}/v_{label}_g{group:02d}_c01.avi"
            seed = 10 * number + group
            make_video(sets / "UCF-101" / name, seconds=0.5, codec="mpeg4", seed=seed)
            test = group < 3
            lists["test" if test else "train"].append(name if test else f"{name} {number}")
    for split, lines in lists.items():
        put(sets, f"ucfTrainTestlist/{split}list01.txt", "\r\n".join(lines))
    (command,) = commands("UCF101")
    said = run(checkout, command)
    assert re.search(r"Archery +5 +0 +0 +5 +3 +0 +2 +0", said)
    assert "10 new, 0 already there, 10 in all." in said
    assert raw(checkout)["Biking/v_Biking_g01_c01.avi"].group == "Biking_g01"

    checkout.set_params(
        ingest={"min_likeness": 1.0},  # the videos of this test differ in their colours alone
        extract={"frames": 4, "height": 32, "width": 32},
        validate={"max_frozen_share": 1.0, "min_groups_per_class": 2},
    )
    checkout.dvc("repro", "preprocess")
    test_set = pd.read_csv(checkout.root / "data" / "prepared" / "test.csv")
    assert sorted(test_set["path"]) == sorted(lists["test"])
    rest = [
        path
        for split in ("train", "validation")
        for path in pd.read_csv(checkout.root / "data" / "prepared" / f"{split}.csv")["path"]
    ]
    assert sorted(rest) == sorted(line.split()[0] for line in lists["train"])


def test_hmdb51_with_its_official_split(checkout: Checkout, sets: Path, tmp_path: Path) -> None:
    codes = "1111220"
    for label in ("brush_hair", "sit", "situp"):
        lines = []
        for number, code in enumerate(codes):
            name = f"Film_{number}_{label}_u_nm_np1_ba_goo_0.avi"
            put(sets / "hmdb51_org" / label, name, f"{label}{number}")
            lines.append(f"{name} {code} \n")
        for split in (1, 2):  # in the second one everything is otherwise
            text = "".join(lines) if split == 1 else "".join(lines).replace(" 1 ", " 2 ")
            put(sets, f"testTrainMulti_7030_splits/{label}_test_split{split}.txt", text)
    (command,) = commands("HMDB51")
    said = run(checkout, command)
    assert "3 left out by their split" in said
    videos = raw(checkout)
    assert len(videos) == 3 * 6
    video = videos["brush_hair/Film_4_brush_hair_u_nm_np1_ba_goo_0.avi"]
    assert (video.group, video.split) == ("brush_hair/Film_4", "test")
    table = division(checkout, tmp_path)
    assert {path for path, split in table.items() if split == "test"} == {
        path for path, video in videos.items() if video.split == "test"
    }
    assert set(table.values()) == set(SHARES)


def kinetics(label: str, ids: range, split: str) -> tuple[str, list[tuple[str, str]]]:
    """Rows of a csv as it is distributed, and label and name of the file of each."""
    rows, files = "", []
    for number in ids:
        youtube = f"-{label[:2]}{split}_{number:03d}"
        rows += f'"{label}",{youtube},{number},{number + 10},{split}\n'
        files.append((label, f"{youtube}_{number:06d}_{number + 10:06d}.mp4"))
    return rows, files


def test_kinetics_as_downloaders_leave_it_and_all_in_one(
    checkout: Checkout, sets: Path, tmp_path: Path
) -> None:
    head = "label,youtube_id,time_start,time_end,split\n"
    in_one, paths = head, {}
    for split, of in (("train", 6), ("validate", 3), ("test", 3)):
        text = head
        for label in ("abseiling", "arm wrestling"):
            rows, files = kinetics(label, range(of), split)
            text += rows
            in_one += rows
            for folder, name in files[1:]:  # the first of each is no longer to be had
                put(sets / "kinetics400" / split / folder, name, f"{folder}{name}")
                put(sets / "k400" / "videos", name, f"{folder}{name}")
                paths[f"{folder}/{name}"] = split
        put(sets, f"kinetics400/{split}.csv", text)
    put(sets, "k400/k400.csv", in_one)
    by_folder, flat = commands("Kinetics")
    said = run(checkout, by_folder)
    assert "2 named, but missing" in said
    videos = raw(checkout)
    assert {path: video.split for path, video in videos.items()} == {
        path: {"validate": "validation"}.get(split, split) for path, split in paths.items()
    }
    assert all(video.group and video.group in path for path, video in videos.items())
    assert division(checkout, tmp_path) == {path: v.split for path, v in videos.items()}
    # The other layout: the same bytes, under other names.
    added = flat.replace("import", "import --dry-run --add")
    assert "0 new, 18 already there" in checkout.call("bash", "-ec", added).stdout
    assert "18 taken out" in run(checkout, flat.replace("import", "import --replace"))
    assert {f"{v.label}/{path}": v.split for path, v in raw(checkout).items()} == {
        path: v.split for path, v in videos.items()
    }


def test_camera_traps_with_a_csv_of_a_windows_program(
    checkout: Checkout, sets: Path, tmp_path: Path
) -> None:
    rows = [("filepath", "species", "station", "datetime", "note")]
    for station in range(6):
        for species in ("Fuchs", "Dachs; groß"):
            name = f"S{station}\\{species[:5]}.AVI"
            put(sets / "traps", name.replace("\\", "/"))
            rows.append((name, species, f"S{station}", "2024-05-01 03:10:00", "a\nb"))
    text = "\r\n".join(";".join(f'"{cell}"' for cell in row) for row in rows)
    put(sets, "traps/export.csv", "\ufeff" + text)
    (command,) = commands("Camera traps")
    run(checkout, command)
    videos = raw(checkout)
    assert videos["S3/Dachs.AVI"] == LabelledVideo("S3/Dachs.AVI", "Dachs; groß", "S3")
    assert len(videos) == 12
    table = division(checkout, tmp_path)
    assert all(table[f"S{n}/Fuchs.AVI"] == table[f"S{n}/Dachs.AVI"] for n in range(6))


def test_adding_and_removing(checkout: Checkout, sets: Path) -> None:
    for name in ("hop/a1.mp4", "hop/b.mp4", "sit/c.mp4"):
        put(sets / "first", name)
    checkout.call("reelflow", "import", str(sets / "first"))
    for name in ("hop/later/d.mp4", "hop/later/e.mp4", "sit/f.mp4"):
        put(sets / "more", name)
    (add,) = commands("Add")
    assert "3 new" in run(checkout, add)
    assert len(raw(checkout)) == 6
    put(sets, "unwanted.csv", "filepath\nsit/f.mp4\n")
    (remove,) = commands("Remove")
    pointer = checkout.root / "data" / "raw.dvc"
    before = pointer.read_bytes()
    by_path, by_csv = remove.splitlines()
    assert "would be removed: hop/later/e.mp4" in run(checkout, by_path)
    run(checkout, by_csv)
    assert sorted(raw(checkout)) == ["hop/b.mp4", "sit/c.mp4"]
    after = pointer.read_bytes()
    assert after != before
    # DVC's cache has what was removed, and knows the new state.
    assert "up to date" in checkout.dvc("status", "data/raw.dvc")
    pointer.write_bytes(before)
    checkout.dvc("checkout", "data/raw.dvc")
    assert len(raw(checkout)) == 6


def test_the_only_copy_is_not_removed_unasked(checkout: Checkout) -> None:
    put(checkout.root, "data/raw/hop/a.mp4")
    put(checkout.root, "data/raw/sit/b.mp4")
    done = checkout.call("reelflow", "remove", "hop/a.mp4", check=False)
    assert done.returncode == 1
    assert "There is no other copy of 1 of these files ('hop/a.mp4')" in done.stdout
    assert "Traceback" not in done.stdout
    assert (checkout.root / "data/raw/hop/a.mp4").exists()
    checkout.dvc("add", "data/raw")
    checkout.call("reelflow", "remove", "data/raw/hop/a.mp4")
    put(checkout.root, "data/raw/sit/new.mp4")
    checkout.call("reelflow", "remove", "--force", "sit/new.mp4")
    assert sorted(raw(checkout)) == ["sit/b.mp4"]


def test_a_copy_in_dvcs_cache_counts_where_the_disk_cannot_link(checkout: Checkout) -> None:
    put(checkout.root, "data/raw/hop/a.mp4")
    put(checkout.root, "data/raw/sit/b.mp4")
    checkout.dvc("config", "cache.type", "copy")
    checkout.dvc("add", "data/raw")
    assert (checkout.root / "data/raw/hop/a.mp4").stat().st_nlink == 1
    checkout.call("reelflow", "remove", "hop/a.mp4")
    assert sorted(raw(checkout)) == ["sit/b.mp4"]


def test_a_dry_run_that_would_stop_says_why_and_ends_with_status_1(
    checkout: Checkout, sets: Path
) -> None:
    put(sets, "a.csv", "path,label\nb.mp4,hop\nc.mp4,hop\n")
    put(sets, "b.mp4")
    before = tree(checkout.root)
    done = checkout.call("reelflow", "import", str(sets / "a.csv"), "--dry-run", check=False)
    assert done.returncode == 1
    assert "It would stop: " in done.stdout
    assert "names 1 of 2 files that do not exist" in done.stdout
    assert tree(checkout.root) == before
