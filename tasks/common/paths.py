"""The paths of all files of the pipeline.

All paths are relative to the top folder of the project, from which every stage is run.
"""

from __future__ import annotations

from pathlib import Path

PARAMS = Path("params.yaml")

RAW = Path("data/raw")
RAW_POINTER = Path("data/raw.dvc")  # which version of RAW this is, for DVC
# Names of files that DVC takes for its own, wherever they are.
RESERVED = (".dvc", ".dvcignore", "dvc.yaml", "*.dvc")
INBOX = Path("data/inbox")
MANIFEST = Path("data/manifest.parquet")
QUARANTINE = Path("data/quarantine.csv")
NOT_EXTRACTED = Path("data/quarantine_extract.csv")
NEAR_DUPLICATES = Path("data/near_duplicates.csv")
FRAMES = Path("data/frames")
EMBEDDINGS = Path("data/embeddings")
PREPARED = Path("data/prepared")
LEDGER = Path("data/ledger.csv")
MODEL = Path("models/model.keras")
MODEL_CARD = Path("models/model.json")
LEFT_OUT = Path("models/left_out.csv")
FAMILIAR = Path("models/familiar.npz")  # what a clip like those of training looks like
METRICS = Path("metrics")  # what each stage reports, <stage>.json, and beside it
SUMMARY = METRICS / "summary.json"  # the few numbers by which runs are compared
PLOTS = Path("plots")
PREDICTIONS = Path("reports/predictions.csv")
REPORT = Path("reports/index.html")
DATA_DOCS = Path("reports/validate/index.html")
DATA_REPORT = Path("reports/data.html")

# Folders with files of several stages, which DVC does not empty before a stage runs.
WRITTEN_TO = (MANIFEST.parent, METRICS, PLOTS, REPORT.parent)

# Machine-local state that no stage depends on: caches, locks, timings. Safe to delete.
STATE = Path(".reelflow")
KEPT_FRAMES = STATE / "frames"  # see reelflow.extraction.decoded_cache
KEPT_FEATURES = STATE / "features"  # see reelflow.embeddings.feature_cache
CHECKPOINTS = STATE / "checkpoints"  # see reelflow.training.checkpoint
FOLDS = STATE / "crossval"  # see reelflow.crossval.finished_folds
