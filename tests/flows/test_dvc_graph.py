"""The bridge to DVC, on a project of tiny stages."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from flows.engine import stage_process
from flows.engine.dvc_graph import (
    BusyError,
    GraphError,
    Node,
    clear_stale_locks,
    read_graph,
)
from flows.engine.dvc_repro import reproduce
from flows.engine.stage_failure import StageError
from flows.engine.why_stages_run import changes
from reelflow.base.errors import UnavailableError
from tests.conftest import ROOT
from tests.flows.tiny import STAGES, Tiny
from tests.processes import wait_until

pytestmark = pytest.mark.filterwarnings("ignore:_NoneStep.value:DeprecationWarning")  # of DVC


def graph() -> dict[str, Node]:
    return {node.name: node for node in read_graph()}


def run(name: str) -> tuple[bool, list[str]]:
    lines: list[str] = []
    return reproduce(name, lines.append), lines


def run_all() -> None:
    for node in read_graph():
        reproduce(node.name, lambda line: None)


def test_every_stage_comes_with_its_upstream_and_after_it(tiny: Tiny) -> None:
    nodes = graph()
    assert {name: set(node.upstream) for name, node in nodes.items()} == {
        "data/raw.dvc": set(),
        "one": {"data/raw.dvc"},
        "left": {"one"},
        "right": {"one"},
        "join": {"left", "right"},
    }
    order = list(nodes)
    assert all(order.index(up) < order.index(n.name) for n in nodes.values() for up in n.upstream)


def test_a_stage_added_to_dvc_yaml_is_in_the_graph_with_no_other_edit(tiny: Tiny) -> None:
    added = {"cmd": "cp join.txt more.txt", "deps": ["join.txt"], "outs": ["more.txt"]}
    tiny.stages({**STAGES, "more": added})
    assert graph()["more"].upstream == ("join",)


def test_reports_and_sources_are_told_apart(tiny: Tiny) -> None:
    nodes = graph()
    assert nodes["left"].reports == (Path("metrics/left.json"),)
    assert [name for name, node in nodes.items() if node.is_source] == ["data/raw.dvc"]


def test_changes_name_why_and_end_when_all_has_run(tiny: Tiny) -> None:
    assert set(changes()) == set(STAGES)
    run_all()
    assert changes() == {}
    tiny.call("sed", "-i", "s/epochs: 3/epochs: 4/", "params.yaml")
    assert changes() == {"left": "params.yaml train.epochs modified"}
    assert changes("one") == {}


def test_a_stage_run_here_leaves_what_dvc_repro_leaves(tiny: Tiny) -> None:
    run_all()
    ours = tiny.read("dvc.lock")
    (tiny.root / "dvc.lock").unlink()
    tiny.call("dvc", "repro", "--no-run-cache")
    assert tiny.read("dvc.lock") == ours


def test_lines_of_a_stage_come_through_without_what_dvc_says_to_a_terminal(tiny: Tiny) -> None:
    ran, lines = run("one")
    assert ran
    assert lines[0] == "Running stage 'one':"
    assert "reading" in lines
    assert not any("git add" in line or "lock file" in line for line in lines)


def test_an_error_that_a_library_prints_hides_no_later_line_of_a_stage_that_goes_on(
    tiny: Tiny,
) -> None:
    tiny.stage("one", f"echo 'ERROR: a library complains'; {STAGES['one']['cmd']}")
    ran, lines = run("one")
    assert ran
    assert "reading" in lines


def test_outputs_that_dvc_has_in_its_run_cache_are_not_made_again(tiny: Tiny) -> None:
    run_all()
    tiny.call("sed", "-i", "s/epochs: 3/epochs: 4/", "params.yaml")
    assert run("left")[0]
    tiny.call("sed", "-i", "s/epochs: 4/epochs: 3/", "params.yaml")
    assert not run("left")[0]


def test_a_failed_stage_says_its_own_sentence_and_no_more(tiny: Tiny) -> None:
    tiny.stage("one", "echo noise; echo 'one: error: a.mp4 is broken.'; echo 'Mend it.'; exit 1")
    lines: list[str] = []
    with pytest.raises(StageError) as caught:
        reproduce("one", lines.append)
    assert str(caught.value) == "a.mp4 is broken.\nMend it."
    # Said once, by whoever catches it, and never in DVC's words.
    assert lines[-1] == "noise"


def test_a_stage_that_dies_without_a_sentence_is_told_by_its_last_words(tiny: Tiny) -> None:
    tiny.stage("one", "python -c 'raise ValueError(7)'")
    with pytest.raises(StageError, match="ValueError: 7") as caught:
        run("one")
    assert "Traceback" not in str(caught.value)


def test_a_stage_whose_error_may_pass_says_so_by_its_status(tiny: Tiny) -> None:
    tiny.stage("one", "echo 'one: error: MLflow does not answer.'; exit 75")
    with pytest.raises(UnavailableError, match="MLflow does not answer"):
        run("one")


@pytest.mark.parametrize(
    ("death", "said"),
    [
        ("kill -9 $$", r"The stage one was killed \(SIGKILL\), perhaps because memory ran out"),
        ("kill -15 $$", r"The stage one was killed \(SIGTERM\), perhaps because memory ran out"),
        ("sh -c 'kill -9 $$'; exit $?", r"The stage one was killed \(SIGKILL\), perhaps"),
        ("kill -4 $$", r"The stage one crashed \(SIGILL\).* no AVX, which TensorFlow needs"),
        ("kill -11 $$", r"The stage one crashed \(SIGSEGV\)\. .*last words: reading"),
        ("kill -9 $(ps -o ppid= $$)", r"DVC, at work on the stage one, was killed \(SIGKILL\)"),
    ],
)
def test_a_process_that_a_signal_ended_is_told_by_what_that_means(
    tiny: Tiny, death: str, said: str
) -> None:
    tiny.stage("one", f"echo reading; {death}")
    with pytest.raises(StageError, match=said):
        run("one")


def test_an_abort_in_a_library_is_a_sentence_though_it_prints_nothing(
    tiny: Tiny, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    script = "from tasks.common.stage import run; import os; run(chr(111), os.abort)"
    tiny.stage("one", f'python -c "{script}"')
    with pytest.raises(StageError, match=r"crashed \(SIGABRT\).*no AVX") as caught:
        run("one")
    assert "\n" not in str(caught.value)
    assert "last words" not in str(caught.value)


def test_a_missing_data_source_is_told_with_the_command_that_fetches_it(tiny: Tiny) -> None:
    tiny.call("rm", "-r", "data/raw")
    with pytest.raises(StageError, match="data/raw is not here. Fetch it with `dvc pull`"):
        run("data/raw.dvc")


def test_videos_put_into_a_source_by_hand_are_noted_as_dvc_repro_would(tiny: Tiny) -> None:
    run_all()
    (tiny.root / "data/raw/x/b.mp4").write_text("b\n")
    assert set(changes()) == {"data/raw.dvc", "one"}
    run_all()
    assert tiny.call("dvc", "status").stdout == "Data and pipelines are up to date.\n"


def test_a_broken_dvc_yaml_is_a_sentence(tiny: Tiny) -> None:
    (tiny.root / "dvc.yaml").write_text("stages:\n  one: 1\n")
    with pytest.raises(GraphError, match=r"dvc\.yaml"):
        read_graph()


def test_a_folder_without_dvc_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(GraphError, match="DVC cannot read this project"):
        read_graph()


def test_another_dvc_command_at_work_is_worth_another_try(tiny: Tiny) -> None:
    held = "from dvc.repo import Repo; import time; r = Repo(); r.lock.lock(); print(1, flush=True)"
    holder = subprocess.Popen(
        [sys.executable, "-c", f"{held}; time.sleep(60)"], stdout=subprocess.PIPE
    )
    try:
        assert holder.stdout is not None
        with holder.stdout as output:
            output.readline()
            with pytest.raises(BusyError, match="Another DVC command is at work"):
                changes()
    finally:
        holder.kill()
        holder.wait()
    assert changes()


def test_what_a_killed_dvc_leaves_does_not_stop_the_next_one(tiny: Tiny) -> None:
    tiny.stage("one", "touch began; sleep 60; echo > one.txt")
    killed = tiny.start("dvc", "repro", "--single-item", "one")
    wait_until((tiny.root / "began").exists)
    os.killpg(killed.pid, signal.SIGKILL)
    killed.wait()
    assert json.loads(tiny.read(".dvc/tmp/rwlock"))["write"]
    clear_stale_locks()
    tiny.stage("one", STAGES["one"]["cmd"])
    assert run("one")[0]


def test_a_lock_entry_whose_process_number_was_given_away_is_dropped(tiny: Tiny) -> None:
    entry = {"pid": os.getpid(), "cmd": "dvc repro"}  # this process: alive, and never a DVC
    rwlock = tiny.root / ".dvc/tmp/rwlock"
    rwlock.parent.mkdir(exist_ok=True)
    rwlock.write_text(json.dumps({"write": {str(tiny.root / "one.txt"): entry}, "read": {}}))
    os.utime(rwlock, (1e9, 1e9))  # written long before this process began
    clear_stale_locks()
    assert run("one")[0]


@pytest.mark.parametrize("garbage", [b'{"write": {"', b"\xff\x00", b"[1]", b'{"read": 1}'])
def test_a_spoiled_lock_file_is_dropped(tiny: Tiny, garbage: bytes) -> None:
    rwlock = tiny.root / ".dvc/tmp/rwlock"
    rwlock.parent.mkdir(exist_ok=True)
    rwlock.write_bytes(garbage)
    clear_stale_locks()
    assert run("one")[0]


def test_of_a_progress_bar_only_the_last_text_is_a_line() -> None:
    lines: list[str] = []
    bar = "import sys; sys.stdout.write('1%\\r50%\\r\\x1b[32m100%\\x1b[0m\\nafter\\n')"
    assert stage_process.run_lines([sys.executable, "-c", bar], lines.append) == 0
    assert lines == ["100%", "after"]


def test_stopping_ends_the_whole_tree_and_lets_nothing_new_start(tmp_path: Path) -> None:
    child = tmp_path / "child"
    tree = ["sh", "-c", f"sh -c 'echo $$ > {child}; exec sleep 60'; true"]
    stopped: list[type[BaseException]] = []

    def work() -> None:
        try:
            stage_process.run_lines(tree, lambda line: None)
        except stage_process.StoppedError as error:
            stopped.append(type(error))

    thread = threading.Thread(target=work)
    thread.start()
    wait_until(lambda: child.exists() and child.read_text())
    try:
        stage_process.stop_all()
        thread.join(300)
        assert stopped == [stage_process.StoppedError]
        with pytest.raises(stage_process.StoppedError):
            stage_process.run_lines(["true"], lambda line: None)
    finally:
        stage_process.allow()
    wait_until(lambda: not Path(f"/proc/{child.read_text().strip()}").exists() or time.sleep(0.1))


def test_an_output_that_was_damaged_is_made_again_not_restored_from_the_same_damage(
    tiny: Tiny,
) -> None:
    tiny.stage("right", "echo right > right.txt")
    run_all()
    # The file and DVC's copy of it are one file on the disk.
    path = Path("right.txt")
    path.chmod(0o644)
    path.write_text("damaged\n")
    path.chmod(0o444)
    assert changes("right")
    ran, lines = run("right")
    assert ran, lines
    assert path.read_text() == "right\n"
    assert changes() == {}
    path.unlink()
    tiny.call("dvc", "checkout", str(path))
    assert path.read_text() == "right\n"
