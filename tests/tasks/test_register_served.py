"""A true model, a true MLflow server: registered, lost in the middle, loaded elsewhere, served."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from reelflow.base.errors import UnavailableError
from reelflow.registry.promotion import score
from reelflow.tracking.mlflow_client import connect
from tasks import register
from tests.conftest import ROOT, MakeVideo
from tests.outputs import LABELS, write_outputs, write_videos
from tests.tasks.mlflow_server import Server, plain_environment

pytestmark = [
    pytest.mark.integration,
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning"),
]

# What `train` and `evaluate` do, on two networks with random weights: run in a process of its own,
# so that this one stays without TensorFlow, as the stage must.
TRAIN_AND_EVALUATE = """
import json, sys
from pathlib import Path
import numpy as np, pandas as pd
from reelflow.base.determinism import deterministic; deterministic()
import keras
from reelflow import networks
from reelflow.training import predict_clip, model_file
from reelflow.store.clip_spec import ClipSpec
from reelflow.extraction.read_clips import read_clip
spec = ClipSpec(**json.loads(sys.argv[2]))
test = pd.read_csv("data/prepared/test.csv")
for seed in range(int(sys.argv[1])):
    keras.utils.set_random_seed(seed)
    network = networks.build("cnn", spec.shape, 3, [120.0] * 3, [30.0] * 3)
    model_file.save_model(network, Path(f"{seed}.keras"))
    model = model_file.load_model(Path(f"{seed}.keras"))
    rows = [predict_clip.predict_clip(model, read_clip(Path("data/raw") / p, spec).frames)
            for p in test["path"]]
    labels = json.loads(sys.argv[3])
    table = pd.DataFrame(np.stack(rows), columns=[f"p_{label}" for label in labels])
    table.insert(0, "path", test["path"])
    table.insert(1, "predicted", [labels[int(np.argmax(row))] for row in rows])
    table.to_csv(f"{seed}.csv", index=False)
"""

LOAD = """
import json, sys, mlflow, pandas as pd
model = mlflow.pyfunc.load_model(sys.argv[1])
answers = model.predict(pd.DataFrame({"path": json.loads(sys.argv[2])}))
import reelflow
print(json.dumps([reelflow.__file__, answers.to_csv(index=False)]))
"""


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, make_video: MakeVideo) -> Path:
    """A folder with raw videos, the models 0.keras and 1.keras, and their predictions."""
    folder = tmp_path_factory.mktemp("trained")
    write_outputs(folder)
    write_videos(folder, make_video)
    card = json.loads((folder / "models/model.json").read_text())
    arguments = ["2", json.dumps(card["clip"]), json.dumps(LABELS)]
    run(["-c", TRAIN_AND_EVALUATE, *arguments], folder, PYTHONPATH=str(ROOT))
    return folder


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("server")
    store = ["--backend-store-uri", "sqlite:///server.db", "--artifacts-destination", "files"]
    running = Server(folder, "server", *store, "--workers", "1")
    yield running
    running.kill()


@pytest.fixture
def project_at_server(
    project: Path, trained: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    import mlflow

    shutil.copytree(trained, project, dirs_exist_ok=True)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server.address)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    use_model(0)
    yield project
    mlflow.set_tracking_uri(None)


def run(arguments: list[str], folder: Path, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=plain_environment(**environment),
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def use_model(seed: int) -> float:
    """Make one of the two the pipeline's model, with the figure that it has; return that."""
    predictions = pd.read_csv(f"{seed}.csv")
    truth = pd.read_csv("data/prepared/test.csv")["label"]
    value = score("balanced_accuracy", list(truth), list(predictions["predicted"]))
    write_outputs(Path(), Path(f"{seed}.keras").read_bytes(), balanced_accuracy=value)
    predictions.to_csv("reports/predictions.csv", index=False)
    params = Path("params.yaml").read_text(encoding="utf-8")
    Path("params.yaml").write_text(params.replace("min_metric: 0.5", "min_metric: 0.0"))
    return value


def probabilities(table: pd.DataFrame) -> Any:
    return table[[f"p_{label}" for label in LABELS]].to_numpy()


def test_a_server_lost_in_the_middle_is_a_sentence_and_the_same_command_completes(
    project_at_server: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        log_model = register.log_video_model

        def lose_the_server(*arguments: Any, **named: Any) -> str:
            model_id = log_model(*arguments, **named)
            server.kill()
            return model_id

        patched.setattr(register, "log_video_model", lose_the_server)
        with pytest.raises(UnavailableError, match=f"{server.address} does not answer.*same comm"):
            register.main()
    assert not Path("metrics/register.json").exists()
    server.start()
    register.main()
    client = connect(server.address)
    [version] = client.search_model_versions("name = 'reelflow'")
    experiment = client.get_experiment_by_name("reelflow").experiment_id
    [run_of_it] = client.search_runs([experiment])
    assert version.run_id == run_of_it.info.run_id
    assert run_of_it.data.tags["reelflow.complete"] == "true"
    assert len(client.search_logged_models([experiment])) == 1


def test_loaded_with_nothing_but_the_registry_it_answers_what_evaluate_wrote(
    project_at_server: Path, server: Server, tmp_path_factory: pytest.TempPathFactory
) -> None:
    register.main()
    written = pd.read_csv("reports/predictions.csv")
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    videos = [str(project_at_server / "data/raw" / path) for path in written["path"]]
    script = ["-P", "-c", LOAD, "models:/reelflow@champion", json.dumps(videos)]
    package, text = json.loads(run(script, elsewhere, MLFLOW_TRACKING_URI=server.address))
    assert not Path(package).is_relative_to(ROOT), "the model brings its own code"
    (elsewhere / "answers.csv").write_text(text)
    answers = pd.read_csv(elsewhere / "answers.csv")
    assert answers["label"].tolist() == written["predicted"].tolist()
    np.testing.assert_array_equal(probabilities(answers), probabilities(written))


def test_a_second_model_is_measured_against_the_first_on_the_files(
    project_at_server: Path, server: Server
) -> None:
    first = use_model(0)
    register.main()
    second = use_model(1)
    register.main()
    client = connect(server.address)
    newest = client.get_model_version_by_alias("reelflow", "challenger")
    assert newest.version == "2"
    assert f"The champion, version 1, has {first:g} on the same videos" in newest.description
    champion = client.get_model_version_by_alias("reelflow", "champion").version
    assert champion == ("2" if second >= first else "1")


def test_reelflow_predict_answers_files_good_and_bad(
    project_at_server: Path, server: Server
) -> None:
    register.main()
    name = connect(server.address).get_model_version_by_alias("reelflow", "champion").version
    reelflow = (sys.executable, "-c", "from cli.main import app; app()")
    done = subprocess.run(
        [*reelflow, "predict", "--json", "data/raw/walk/1.mp4", "no.mp4", "data/raw/walk"],
        cwd=project_at_server,
        env=plain_environment(PYTHONPATH=str(ROOT), MLFLOW_TRACKING_URI=server.address),
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 1, done.stderr
    good, missing, *folder = json.loads(done.stdout)
    # The champion may be either of the two, see the test before this one.
    champions = [pd.read_csv(f"{seed}.csv").set_index("path") for seed in (0, 1)]
    row = champions[int(name) - 1].loc["walk/1.mp4"]
    assert good["label"] == row["predicted"]
    assert good["probabilities"] == {label: row[f"p_{label}"] for label in LABELS}
    assert missing["error"] == "There is no such file. Check the path."
    assert good in folder
    assert len(folder) == len(list(Path(project_at_server, "data/raw/walk").iterdir()))


def test_served_by_mlflow_it_takes_paths_and_bytes(
    project_at_server: Path, server: Server, tmp_path_factory: pytest.TempPathFactory
) -> None:
    register.main()
    served = Server(
        tmp_path_factory.mktemp("served"),
        *("models", "serve", "--model-uri", "models:/reelflow/1", "--env-manager", "local"),
        MLFLOW_TRACKING_URI=server.address,
    )
    try:
        path = project_at_server / "data/raw/walk/1.mp4"
        content = base64.b64encode(path.read_bytes()).decode()
        asked = [
            {"path": str(path)},
            {"video": content},
            {"path": "no.mp4"},
        ]
        by_path, by_bytes, bad = [post(served, [row])[0] for row in asked]
        row = pd.read_csv("0.csv").set_index("path").loc["walk/1.mp4"]
        for answer in (by_path, by_bytes):
            assert answer["label"] == row["predicted"]
            assert [answer[f"p_{label}"] for label in LABELS] == [row[f"p_{k}"] for k in LABELS]
        assert bad["label"] is None
        assert bad["error"] == "There is no such file. Check the path."
        with pytest.raises(urllib.error.HTTPError) as refused:
            post(served, [{"film": str(path)}])
        assert refused.value.code == 400
        refused.value.close()
    finally:
        served.kill()


def post(served: Server, records: list[dict[str, str]]) -> list[dict[str, Any]]:
    request = urllib.request.Request(
        f"{served.address}/invocations",
        json.dumps({"dataframe_records": records}).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=600) as response:
        answers: list[dict[str, Any]] = json.load(response, parse_constant=pytest.fail)[
            "predictions"
        ]
        return answers
