from __future__ import annotations

from pathlib import Path

import pytest

from reelflow.base.errors import DataError
from reelflow.intake.apply_import import carry_out
from reelflow.intake.make_import_plan import plan_import
from reelflow.intake.read_folder_or_csv import read_source
from tests.reelflow.intake.bringing import bring


def fill(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(name.encode())
    return root


def names(root: Path) -> list[str]:
    return sorted(p.relative_to(root).as_posix() for p in root.rglob("*") if p.is_file())


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    return tmp_path / "data" / "raw"


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    return tmp_path / "state" / "source.json"


def test_videos_are_linked_not_copied(tmp_path: Path, raw: Path, ledger: Path) -> None:
    source = fill(tmp_path / "mine", "run/a.mp4", "sit/b.mp4")
    assert bring(source, raw, ledger) == (2, 0, 0)
    assert (raw / "run/a.mp4").read_bytes() == b"run/a.mp4"
    assert (raw / "run/a.mp4").samefile(source / "run/a.mp4")
    assert names(raw) == ["run/a.mp4", "sit/b.mp4"]


def test_a_copy_is_made_on_request(tmp_path: Path, raw: Path, ledger: Path) -> None:
    source = fill(tmp_path / "mine", "run/a.mp4", "sit/b.mp4")
    bring(source, raw, ledger, copy=True)
    assert not (raw / "run/a.mp4").samefile(source / "run/a.mp4")


def test_a_second_call_brings_what_is_new_and_takes_out_what_is_gone(
    tmp_path: Path, raw: Path, ledger: Path
) -> None:
    source = fill(tmp_path / "mine", "run/a.mp4", "sit/b.mp4")
    bring(source, raw, ledger)
    fill(source, "sit/c.mp4")
    (source / "run/a.mp4").rename(source / "run/d.mp4")
    with pytest.raises(DataError, match=r"1 taken out: 'run/a\.mp4'.*`--replace`"):
        bring(source, raw, ledger)
    assert names(raw) == ["run/a.mp4", "sit/b.mp4"]
    assert bring(source, raw, ledger, replacing=True) == (2, 1, 1)
    assert names(raw) == ["run/d.mp4", "sit/b.mp4", "sit/c.mp4"]
    assert bring(source, raw, ledger) == (0, 3, 0)


def test_a_csv_brings_files_from_anywhere_with_their_groups(
    tmp_path: Path, raw: Path, ledger: Path
) -> None:
    fill(tmp_path, "elsewhere/a.mp4", "lists/b.mp4")
    listed = tmp_path / "lists" / "my.csv"
    listed.write_text(
        f"path,label,group\n{tmp_path}/elsewhere/a.mp4,run,g1\nb.mp4,sit,g2\n", encoding="utf-8"
    )
    bring(listed, raw, ledger)
    table = (raw / "videos.csv").read_text(encoding="utf-8").splitlines()
    assert table[0] == "path,label,group,split"
    assert table[1] == "b.mp4,sit,g2,"
    assert table[2].startswith("run/") and table[2].endswith("elsewhere/a.mp4,run,g1,")


def test_another_source_replaces_what_was_brought_before_if_that_is_asked_for(
    tmp_path: Path, raw: Path, ledger: Path
) -> None:
    bring(fill(tmp_path / "one", "run/a.mp4", "sit/b.mp4"), raw, ledger)
    two = fill(tmp_path / "two", "x/a.mp4", "y/b.mp4")
    with pytest.raises(DataError, match=r"2 taken out: 'run/a\.mp4', 'sit/b\.mp4'.*`--replace`"):
        bring(two, raw, ledger)
    assert names(raw) == ["run/a.mp4", "sit/b.mp4"]
    assert bring(two, raw, ledger, replacing=True) == (2, 0, 2)
    assert names(raw) == ["x/a.mp4", "y/b.mp4"]
    assert names(tmp_path / "one") == ["run/a.mp4", "sit/b.mp4"]


def test_other_bytes_under_a_name_that_is_there_are_a_loss_too(
    tmp_path: Path, raw: Path, ledger: Path
) -> None:
    bring(fill(tmp_path / "one", "run/a.mp4", "sit/b.mp4"), raw, ledger)
    two = fill(tmp_path / "two", "run/a.mp4", "sit/c.mp4", "sit/b.mp4")
    (two / "sit/b.mp4").write_bytes(b"other bytes")
    with pytest.raises(DataError, match=r"1 replaced by another file: 'sit/b\.mp4'.*`--replace`"):
        bring(two, raw, ledger)
    assert (raw / "sit/b.mp4").read_bytes() == b"sit/b.mp4"


@pytest.mark.parametrize(
    "rows",
    ["", "run/a.mp4,run,,\nsit/b.mp4,sit,g2,\n", "run/a.mp4,run,g1,\nsit/b.mp4,hop,g2,\n"],
    ids=["no csv", "no group", "another label"],
)
def test_labels_groups_and_splits_do_not_go_unasked(
    tmp_path: Path, raw: Path, ledger: Path, rows: str
) -> None:
    source = fill(tmp_path / "one", "run/a.mp4", "sit/b.mp4")
    head, csv = "path,label,group,split\n", source / "videos.csv"
    csv.write_text(f"{head}run/a.mp4,run,g1,\nsit/b.mp4,sit,g2,\n")
    bring(source, raw, ledger)
    before = (raw / "videos.csv").read_bytes()
    csv.write_text(f"{head}{rows}") if rows else csv.unlink()
    with pytest.raises(DataError, match="with another label, group or split: '"):
        bring(source, raw, ledger)
    assert (raw / "videos.csv").read_bytes() == before
    bring(source, raw, ledger, replacing=True)
    # What was not said is no loss: a group that is found later asks for nothing.
    csv.write_text(
        f"{head}run/a.mp4,run,g1,train\nsit/b.mp4,{'hop' if 'hop' in rows else 'sit'},g2,\n"
    )
    bring(source, raw, ledger)


def test_a_source_that_cannot_be_read_costs_nothing_of_what_is_there(
    tmp_path: Path, raw: Path, ledger: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bring(fill(tmp_path / "one", "run/a.mp4", "sit/b.mp4"), raw, ledger)
    two = fill(tmp_path / "two", "x/a.mp4", "run/a.mp4")
    (two / "run/a.mp4").write_bytes(b"other bytes")

    def broken(*_: object) -> None:
        raise OSError("the disk of the source is gone")

    monkeypatch.setattr("reelflow.intake.apply_import.link_or_copy", broken)
    with pytest.raises(OSError, match="gone"):
        bring(two, raw, ledger, replacing=True)
    assert names(raw) == ["run/a.mp4", "sit/b.mp4"]
    assert (raw / "run/a.mp4").read_bytes() == b"run/a.mp4"


def test_videos_that_came_by_another_way_are_never_touched(
    tmp_path: Path, raw: Path, ledger: Path
) -> None:
    bring(fill(tmp_path / "one", "run/a.mp4", "sit/b.mp4"), raw, ledger)
    fill(raw, "run/mine.mp4")
    with pytest.raises(DataError, match=r"1 files that did not come from .*run/mine\.mp4"):
        bring(fill(tmp_path / "two", "x/a.mp4", "y/b.mp4"), raw, ledger)
    assert names(raw) == ["run/a.mp4", "run/mine.mp4", "sit/b.mp4"]


def test_a_kill_in_the_middle_is_mended_by_the_next_call(
    tmp_path: Path, raw: Path, ledger: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = fill(tmp_path / "mine", "run/a.mp4", "sit/b.mp4", "sit/c.mp4")
    from reelflow.intake import apply_import

    true_put = apply_import.put

    def killed(source: Path, target: Path, *, copy: bool) -> bool:
        if target.name == "b.mp4":
            raise KeyboardInterrupt
        return true_put(source, target, copy=copy)

    monkeypatch.setattr(apply_import, "put", killed)
    with pytest.raises(KeyboardInterrupt):
        bring(source, raw, ledger)
    monkeypatch.setattr(apply_import, "put", true_put)
    assert bring(source, raw, ledger) == (2, 1, 0)


def test_a_missing_source_is_a_sentence(tmp_path: Path, raw: Path, ledger: Path) -> None:
    with pytest.raises(DataError, match="is not a folder"):
        bring(tmp_path / "absent", raw, ledger)


def test_links_that_lead_out_are_set_aside_unless_their_folder_is_allowed(
    tmp_path: Path, raw: Path, ledger: Path
) -> None:
    source = fill(tmp_path / "mine", "run/a.mp4", "sit/b.mp4")
    private = fill(tmp_path / "private", "c.mp4")
    (source / "run/near.mp4").symlink_to("a.mp4")
    (source / "run/far.mp4").symlink_to(private / "c.mp4")
    plan = plan_import(read_source(source), raw, ledger)
    carry_out(plan, raw, ledger)
    [aside] = plan.aside
    assert (aside.path, aside.code) == ("run/far.mp4", "outside")
    assert "ingest.links_to" in aside.remedy
    assert not (raw / "run/far.mp4").exists()
    bring(source, raw, ledger, links_to=[private])
    assert (raw / "run/far.mp4").read_bytes() == b"c.mp4"
    assert not (raw / "run/far.mp4").is_symlink()
