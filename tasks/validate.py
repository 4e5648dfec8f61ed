"""Stage `validate`: check expectations of the data, and report on the data.

Reads `data/manifest.parquet`, `data/quarantine.csv`, `data/near_duplicates.csv` and `data/frames/`.
Writes `reports/validate/index.html` (Data Docs: every expectation), `reports/data.html` (the data
report) and `metrics/validate.json`. A broken expectation stops the run after these are
written. Run alone with `python -m tasks.validate`.
"""

from __future__ import annotations

import logging
from dataclasses import asdict
from typing import Any

import pandas as pd

from reelflow.base.csv_table import read_written
from reelflow.base.errors import DataError
from reelflow.base.files import write_json, write_text
from reelflow.evaluation import shortcuts
from reelflow.intake import quarantine
from reelflow.params import load_section
from reelflow.params.validate import ValidateParams
from reelflow.reports import data_docs, data_report
from reelflow.reports.data_report import DataSet, headline, warnings
from reelflow.reports.expectations import BLACK, FROZEN, Finding, checks, of_state
from reelflow.reports.observations import observe
from reelflow.reports.run_expectations import judge
from reelflow.store.crops_and_segments import centre
from reelflow.store.frame_store import FrameStore
from tasks.common.dvc_outputs import committed_files
from tasks.common.extracted_videos import extracted_videos
from tasks.common.paths import (
    DATA_DOCS,
    DATA_REPORT,
    FRAMES,
    KEPT_FRAMES,
    METRICS,
    NEAR_DUPLICATES,
    NOT_EXTRACTED,
    PARAMS,
    QUARANTINE,
)
from tasks.common.stage import run
from tasks.common.stage_inputs import present

log = logging.getLogger(__name__)

_AGAIN = "dvc repro --force"
# The inputs of the small model of `reelflow.evaluation.shortcuts`, in words for the report.
_TOLD = {
    shortcuts.EVERYTHING: "the size, rate, length, bytes and codec of each file",
    shortcuts.BRIGHTNESS: "the mean brightness of each clip",
}


def main() -> None:
    """Judge the data, write the pages and metrics, and stop the run if an expectation is broken."""
    params = load_section(PARAMS, ValidateParams)
    store = FrameStore(FRAMES)
    _refuse_damaged(store)
    manifest = extracted_videos()
    tables = observe(manifest, store)
    findings = judge(tables, checks(store.spec, params, tables, _AGAIN))
    write_text(DATA_DOCS, data_docs.render(findings))
    data = _data_set(manifest, store, findings, params)
    page = data_report.render(data, lambda video: centre(store.frames(video), store.spec))
    write_text(DATA_REPORT, page)
    write_json(METRICS / "validate.json", _metrics(findings, data))
    for sentence in data.warned:
        log.warning(sentence)
    if data.broken:
        sentences = "\n".join(f"- {sentence}" for sentence in data.broken)
        raise DataError(
            f"{len(data.broken)} of {len(findings)} expectations are broken; nothing was learned "
            f"from these data.\n{sentences}\nSee {DATA_REPORT}, and {DATA_DOCS} for "
            "all of them."
        )
    held = sum(finding.held for finding in findings)
    log.info("%d of %d expectations hold, see %s", held, len(findings), DATA_DOCS)
    log.info("%s: %s", DATA_REPORT, headline.headline(data))


def _refuse_damaged(store: FrameStore) -> None:
    """Raise `DataError` if shards are damaged, and remove them from the store, the kept frames and
    DVC's cache, so that they are made again."""
    damaged = store.damaged()
    committed = committed_files(FRAMES)
    for name in damaged:
        for path in (FRAMES / name, KEPT_FRAMES / name, committed.get(name)):
            if path:
                path.unlink(missing_ok=True)
    if damaged:
        raise DataError(
            f"{len(damaged)} shards of {FRAMES} are damaged ({', '.join(damaged[:3])}) and were "
            "removed. Check the disk, and run the same command again: they are made anew from "
            "their videos."
        )


def _data_set(
    manifest: pd.DataFrame, store: FrameStore, findings: list[Finding], params: ValidateParams
) -> DataSet:
    seen = store.index[["brightness", "change"]]
    videos = manifest.sort_values("path", ignore_index=True).join(seen, on="hash")
    return DataSet(
        videos=videos,
        quarantine=quarantine.read(QUARANTINE, NOT_EXTRACTED),
        near_duplicates=_near_duplicates(),
        broken=[finding.sentence for finding in of_state(findings, "broken")],
        warned=[finding.sentence for finding in of_state(findings, "warning")],
        shortcuts=shortcuts.measure(videos),
        clip=store.spec.to_dict(),
        params=params.model_dump(),
    )


def _near_duplicates() -> pd.DataFrame:
    as_written = {"path": str, "other": str}
    return read_written(present(NEAR_DUPLICATES), dtype=as_written, keep_default_na=False)


def _metrics(findings: list[Finding], data: DataSet) -> dict[str, Any]:
    counts = {finding.check.key: finding.count for finding in findings}
    found = data.shortcuts
    return {
        "videos": len(data.videos),
        "expectations": len(findings),
        "successful": sum(finding.held for finding in findings),
        "failed": len(data.broken),
        "warnings": len(data.warned),
        "headline": headline.headline(data),
        "cautions": data.broken + warnings.warnings(data),
        "reservations": len(warnings.warnings(data)),
        "black_clips": counts[BLACK],
        "frozen_clips": counts.get(FROZEN, 0),
        "told_by_files": found.by[shortcuts.EVERYTHING].share if found else None,
        "told_by_guessing": round(found.chance, 6) if found else None,
        "told": {name: asdict(found.by[by]) for by, name in _TOLD.items()} if found else {},
    }


if __name__ == "__main__":
    run("validate", main)
