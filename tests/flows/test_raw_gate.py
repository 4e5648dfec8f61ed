"""What DVC must not read of `data/raw` is kept from it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from flows.engine.dvc_graph import read_graph
from flows.engine.dvcignore import IGNORED, guard, pattern
from flows.engine.raw_in_dvc import note
from flows.engine.why_stages_run import changes
from flows.raw_videos import provide, take_in
from reelflow.base.errors import DataError
from tests.flows.tiny import STAGES, Tiny
from tests.planted import ODD, assert_untouched, plant

pytestmark = pytest.mark.filterwarnings("ignore:_NoneStep.value:DeprecationWarning")  # of DVC


def tracked(tiny: Tiny) -> set[str]:
    """The files of `data/raw` that DVC has noted."""
    digest = tiny.read("data/raw.dvc").split("md5: ")[1].split()[0]
    listing = tiny.root / ".dvc/cache/files/md5" / digest[:2] / digest[2:]
    return {each["relpath"] for each in json.loads(listing.read_text())}


def test_dvc_reads_the_files_that_it_may_and_nothing_else(tiny: Tiny, tmp_path: Path) -> None:
    secret = tmp_path / "outside/key"
    plant(tiny.root / "data/raw/x", secret)
    # Names that a pattern of what is beside them could mean, too.
    near = ("lineXend !!.mp4", "cafX.mp4", "a*?[!] #.mp4", "\r.mp4", "b ")
    for name in near:
        (tiny.root / "data/raw/x" / name).write_text(name)
    note(print)
    assert tracked(tiny) == {"x/a.mp4", *(f"x/{name}" for name in near)}
    assert_untouched(secret, tiny.root)
    assert (tiny.root / "data/raw/x/far.mp4").is_symlink()
    assert "up to date" in tiny.call("dvc", "status", "data/raw.dvc").stdout


def test_each_entry_is_said_with_reason_and_remedy_a_few_at_most(
    tiny: Tiny, tmp_path: Path
) -> None:
    plant(tiny.root / "data/raw/x", tmp_path / "outside/key")
    lines: list[str] = []
    guard(lines.append)
    assert len(lines) == 11
    assert lines[-1] == f"set aside in data/raw: {len(ODD) - 10} more"
    assert any("x/fifo.mp4: It is a pipe (FIFO)." in line for line in lines)
    assert any("x/far.mp4: It is a link that leads out" in line for line in lines)


def test_what_is_gone_is_kept_from_dvc_no_longer(tiny: Tiny, tmp_path: Path) -> None:
    (tiny.root / "data/raw/x/b.mp4").symlink_to(tmp_path)
    guard()
    written = IGNORED.stat().st_mtime_ns
    guard()
    assert IGNORED.stat().st_mtime_ns == written
    (tiny.root / "data/raw/x/b.mp4").unlink()
    (tiny.root / "data/raw/x/b.mp4").write_text("b")
    note(print)
    assert not IGNORED.exists()
    assert tracked(tiny) == {"x/a.mp4", "x/b.mp4"}


def test_links_to_folders_that_are_named_stay_with_dvc(tiny: Tiny, tmp_path: Path) -> None:
    (tmp_path / "allowed").mkdir()
    (tmp_path / "allowed/b.mp4").write_text("b")
    (tiny.root / "data/raw/x/b.mp4").symlink_to(tmp_path / "allowed/b.mp4")
    with (tiny.root / "params.yaml").open("a") as params:
        params.write(f"ingest:\n  links_to: ['{tmp_path / 'allowed'}']\n")
    note(print)
    assert tracked(tiny) == {"x/a.mp4", "x/b.mp4"}


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda raw: (raw / "x/.dvc").mkdir(), r"data/raw/x/\.dvc makes DVC pass over"),
        (lambda raw: (raw / "videos.csv").symlink_to("/etc/passwd"), "videos.csv: It is a link"),
        (lambda raw: raw.rename("moved") and raw.symlink_to("../moved"), "data/raw is a link"),
    ],
)
def test_what_dvc_cannot_be_kept_from_stops_the_run_with_a_sentence(
    tiny: Tiny, make: object, said: str
) -> None:
    make(tiny.root / "data/raw")  # type: ignore[operator]
    with pytest.raises(DataError, match=said):
        guard()
    done = tiny.run()
    assert done.code == 1
    assert "Traceback" not in done.text


def test_a_stage_that_comes_with_videos_is_none_of_the_project(tiny: Tiny) -> None:
    for folder in ("data/raw/x", "data/inbox/x"):
        (tiny.root / folder).mkdir(parents=True, exist_ok=True)
        (tiny.root / folder / "dvc.yaml").write_text("stages: {evil: {cmd: touch evil}}\n")
    guard()
    assert not [node for node in read_graph() if "evil" in node.name]


def test_the_inbox_gives_what_may_be_read_and_says_what_it_leaves(
    tiny: Tiny, tmp_path: Path
) -> None:
    secret = tmp_path / "outside/key"
    plant(tiny.root / "data/inbox/x", secret)
    (tiny.root / "data/inbox/x/b.mp4").write_text("b")
    lines: list[str] = []
    take_in(lines.append, settle_s=-1.0)
    assert tracked(tiny) == {"x/a.mp4", "x/b.mp4"}
    assert_untouched(secret, tiny.root)
    told = "\n".join(lines)
    for name in ("fifo.mp4", "far.mp4", "gone.mp4", "loop.mp4", "sparse.mp4", "zero.mp4", "caf?"):
        assert f"left in data/inbox: x/{name}" in told


def test_retrain_removes_nothing_that_somebody_else_made(tiny: Tiny) -> None:
    theirs = tiny.root / "data/raw/x/.tmp-mine.mp4"
    theirs.write_text("mine")
    (tiny.root / "data/raw/x/.tmp-folder").mkdir()
    ours = tiny.root / "data/raw/x/.tmp-reelflow-999999999-0123.mp4"
    ours.write_text("half")
    take_in(print, settle_s=-1.0)
    assert theirs.read_text() == "mine"
    assert (tiny.root / "data/raw/x/.tmp-folder").is_dir()
    assert not ours.exists()


def test_the_raw_folder_itself_may_be_named(tiny: Tiny) -> None:
    lines: list[str] = []
    for named in (tiny.root / "data/raw", Path("data/raw")):
        provide(named, copy=False, replacing=False, echo=lines.append)
    assert lines == ["data/raw holds 1 video."] * 2


def test_links_to_the_folders_of_classes_are_not_replaced_by_samples(
    tiny: Tiny, tmp_path: Path
) -> None:
    raw = tiny.root / "data/raw"
    (raw / "x").rename(tmp_path / "x")
    (tiny.root / "data/raw.dvc").unlink()
    (raw / "x").symlink_to(tmp_path / "x")
    lines: list[str] = []
    provide(None, copy=False, replacing=False, echo=lines.append)
    assert "set aside in data/raw: x: It is a link that leads out" in lines[0]
    assert (raw / "x").is_symlink()


def test_a_pattern_means_one_path() -> None:
    from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern

    names = ["a b", "a\tb", " a ", "a\nb", "a\rb", "#a", "!a", "a[b]", "a\\b", "*", "?", "\udcff"]
    for name in names:
        spec = GitIgnoreSpecPattern(f"/{pattern(name)}".strip())
        assert [other for other in [*names, "a.b", "x"] if spec.match_file(other)] == [name]


def test_a_stage_in_a_folder_below_is_neither_run_nor_looked_at(tiny: Tiny) -> None:
    unpacked = tiny.root / "download/set"
    unpacked.mkdir(parents=True)
    evil = "stages: {evil: {cmd: touch evil, deps: [/dev/zero]}}\n"
    (unpacked / "dvc.yaml").write_text(evil)
    nodes = {node.name for node in read_graph()}
    assert nodes == {"data/raw.dvc", *STAGES}
    assert set(changes()) == {*STAGES}
