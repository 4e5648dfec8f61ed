"""Stage `evaluate`: how good is the model on test videos that nothing has seen?

Reads the model, its card and its answers to videos that were left out, the prepared splits, the
frames, and for the report the manifest and the curves and figures of the training. Writes
`metrics/evaluate.json` (all figures), `metrics/summary.json` (those by which runs are compared),
`reports/predictions.csv` (a row a test video), for `dvc plots`
`plots/{confusion,roc,pr,reliability,coverage}.csv`, and `reports/index.html`. One clip is in
memory at a time. Alone: `python -m tasks.evaluate`.
"""

from __future__ import annotations

import logging
import platform
from dataclasses import asdict
from importlib.metadata import version
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from reelflow.base.csv_table import write_table
from reelflow.base.errors import DataError
from reelflow.base.files import digest_of, write_json, write_text
from reelflow.base.progress import track
from reelflow.evaluation import alarms, curves, label_errors, metrics, slices, sureness
from reelflow.evaluation.alarms import hidden_groups
from reelflow.evaluation.deciding_metric import check_deciding
from reelflow.evaluation.intervals import Bootstrap
from reelflow.evaluation.verdict import Floor, judge, test_of
from reelflow.params import load_section
from reelflow.params.evaluate import EvaluateParams
from reelflow.params.register import RegisterParams
from reelflow.reports import evaluation_report
from reelflow.store.crops_and_segments import frozen
from reelflow.store.frame_store import FrameStore
from reelflow.training.clip_map import clip_map
from reelflow.training.held_out_answers import known_answers
from reelflow.training.model_file import load_model
from reelflow.training.model_inputs import Shown, inputs_of
from reelflow.training.predict_clip import predict_views
from reelflow.training.temperature import tempered
from tasks.common.evaluation_guard import refuse_meaningless
from tasks.common.extracted_videos import extracted_videos
from tasks.common.paths import (
    EMBEDDINGS,
    FAMILIAR,
    FRAMES,
    LEFT_OUT,
    METRICS,
    MODEL,
    MODEL_CARD,
    PARAMS,
    PLOTS,
    PREDICTIONS,
    PREPARED,
    REPORT,
    SUMMARY,
)
from tasks.common.stage import run
from tasks.common.stage_inputs import prepared_splits, present, read_json

log = logging.getLogger(__name__)

# Up to so many groups each can be left out in turn.
_FEW, _ALL_IN_TURN = 12, " --leave-one-group-out"


def main() -> None:
    """Evaluate, write every output, and log the verdict."""
    params = load_section(PARAMS, EvaluateParams)
    decides = load_section(PARAMS, RegisterParams).metric
    check_deciding(decides)
    manifest = extracted_videos()
    meta, card, splits = read_json(PREPARED / "meta.json"), read_json(MODEL_CARD), _splits(manifest)
    refuse_meaningless(meta, card, splits)
    store = FrameStore(FRAMES)
    inputs, there = inputs_of(card, store, EMBEDDINGS, splits["test"])
    if untested := list(splits["test"].drop(there.index)["path"]):
        paths = ", ".join(untested)
        log.warning("not tested, since the stage `embed` could make no embedding: %s", paths)
    splits["test"] = there
    labels, test = list(card["labels"]), splits["test"]
    history, best = pd.read_csv(present(PLOTS / "train.csv")), read_json(METRICS / "train.json")
    model = load_model(MODEL)
    untempered = _predict(model, test, inputs)
    temperature = float(card.get("temperature", 1.0))
    probabilities = np.stack([tempered(row, temperature) for row in untempered])
    predictions = _predictions(test, labels, probabilities)
    targets = test["target"].to_numpy(np.int64)
    majority = int(splits["train"]["target"].mode()[0])
    bootstrap = Bootstrap(params.bootstrap, params.confidence, params.seed)
    scores = metrics.evaluate(
        targets,
        probabilities,
        list(test["group"]),
        labels,
        majority=majority,
        top_k=params.top_k,
        bootstrap=bootstrap,
    )
    right = probabilities.argmax(axis=1) == targets
    worst = slices.measure(slices.properties(test, manifest, store.index), right, params.seed)
    roc, pr = curves.curves(targets, probabilities, labels)
    learned = pd.concat([splits["train"], splits["validation"]])
    beside = inputs_of(card, store, EMBEDDINGS, learned)[1]
    unlike, places = clip_map(model, FAMILIAR, inputs, test, beside)
    answers = known_answers(LEFT_OUT, learned, labels)
    suspects = label_errors.suspects(pd.concat([answers, predictions]), labels)
    sure = sureness.measure(
        test, untempered, probabilities, labels, temperature, answers, bootstrap
    )
    verdict = judge(
        scores,
        decides,
        labels[majority],
        params.confidence,
        Floor(params.min_videos, params.min_groups),
        test_of(set(manifest["split"].dropna()), _prescribed(manifest, test)),
    )
    shortcuts = read_json(METRICS / "validate.json")["told"]
    still = None
    if "embedding" not in card:
        still = _predict(model, test, lambda video: frozen(inputs(video))).argmax(axis=1) == targets
    candidates, blocks = card.get("candidates", []), card.get("blocks", ())
    looks = hidden_groups.looks_of(pd.concat([learned, test]), store, EMBEDDINGS, blocks)
    facts = alarms.Facts(
        scores, verdict, shortcuts, test, learned, manifest, right, still, candidates, looks
    )
    told = alarms.raised(facts)
    evaluation = evaluation_report.Evaluation(
        labels=labels,
        scores=scores,
        verdict=verdict,
        predictions=predictions,
        roc=roc,
        pr=pr,
        baseline=labels[majority],
        confidence=params.confidence,
        history=history,
        best=best,
        splits=splits,
        manifest=manifest,
        params={"extract": meta["clip"], "train": card["params"], "evaluate": dict(params)},
        provenance=_provenance(card),
        examples=params.examples,
        candidates=candidates,
        sureness=sure,
        more_groups=_more_groups(splits),
        alarms=told,
        slices=worst,
        curve=card.get("learning_curve") if "embedding" in card else None,
        unlike=unlike,
        places=places,
        left_out=answers,
        suspects=suspects,
    )
    page = evaluation_report.render(evaluation, store.shown)

    write_table(PREDICTIONS, predictions)
    confusion = predictions[["label", "predicted"]].rename(columns={"label": "actual"})
    plots = {"reliability": sure.reliability, "coverage": sure.coverage, "roc": roc, "pr": pr}
    for name, table in {**plots, "confusion": confusion}.items():
        write_table(PLOTS / f"{name}.csv", table)
    write_text(REPORT, page)
    cautions = evaluation_report.warnings.warnings(evaluation)
    figures = {
        **scores,
        "interval_confidence": params.confidence,
        "calibration": sure.calibration,
        "abstention": sure.abstention,
        "alarms": told,
        "slices": worst,
        "unlike_training": unlike,
        "suspect_labels": list(suspects["path"].head(100)),
        "verdict": asdict(verdict),
        "cautions": cautions,
    }
    write_json(METRICS / "evaluate.json", figures)
    # With what runs are compared by stands the validation accuracy of the model that was kept.
    write_json(SUMMARY, {**metrics.compared(scores), "val_accuracy": best["val_accuracy"]})
    for sentence in evaluation_report.summary(evaluation):
        log.info("%s", sentence)
    for caution in cautions:
        log.warning("%s", caution)
    log.info("the report is %s", REPORT)


def _predict(model: Any, test: pd.DataFrame, inputs: Shown) -> NDArray[np.float32]:
    """Probabilities of the test videos, (N, K), one video at a time."""
    rows = [
        predict_views(model, inputs(video))
        for video in track(test["hash"], len(test), "evaluating videos")
    ]
    probabilities = np.stack(rows)
    broken = ~np.isfinite(probabilities).all(axis=1)
    if broken.any():
        raise DataError(
            f"The model gives no numbers for {int(broken.sum())} of {len(test)} test videos, the "
            f"first being {test['path'].iloc[int(broken.argmax())]}: its weights have diverged. "
            "Lower train.learning_rate and run again."
        )
    return probabilities


def _predictions(
    test: pd.DataFrame, labels: list[str], probabilities: NDArray[np.float32]
) -> pd.DataFrame:
    table = test[["hash", "path", "label", "group"]].reset_index(drop=True)
    table["predicted"] = [labels[i] for i in probabilities.argmax(axis=1)]
    table["confidence"] = probabilities.max(axis=1)
    columns = [f"p_{label}" for label in labels]
    return pd.concat([table, pd.DataFrame(probabilities, columns=columns)], axis=1)


def _more_groups(splits: dict[str, pd.DataFrame]) -> str:
    """What cross-validation would add to a test of few groups."""
    groups = {name: set(split["group"].fillna(split["hash"])) for name, split in splits.items()}
    everyone = set().union(*groups.values())
    if len(everyone) == len(groups["test"]) or splits["test"]["known_group"].isna().all():
        return ""
    return (
        f"Cross-validation judges such a model on all {len(everyone)} groups, each by a training "
        f"that has not seen it: `reelflow crossval{_ALL_IN_TURN if len(everyone) <= _FEW else ''}`."
    )


def _splits(manifest: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The splits; `group` also joins near-duplicates, `known_group` is that of the manifest."""
    known = manifest.set_index("hash")["group"]
    tables = prepared_splits().items()
    return {name: table.assign(known_group=table["hash"].map(known)) for name, table in tables}


def _prescribed(manifest: pd.DataFrame, test: pd.DataFrame) -> float:
    """The share of the test videos that the data set itself puts into the test."""
    official = manifest.loc[manifest["split"] == "test", "hash"]
    return float(test["hash"].isin(official).mean())


def _provenance(card: dict[str, Any]) -> dict[str, str]:
    import imageio_ffmpeg

    return {
        "network": str(card["network"]),
        "model hash": digest_of(MODEL),
        "data hash": str(card["data_hash"]),
        "Python": platform.python_version(),
        **{name: version(name.lower()) for name in ("reelflow", "TensorFlow", "Keras")},
        "ffmpeg": imageio_ffmpeg.get_ffmpeg_version(),
    }


if __name__ == "__main__":
    run("evaluate", main)
