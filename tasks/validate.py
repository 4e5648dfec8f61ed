"""Stage `validate`: what must hold before anything is learned, judged by Great Expectations.

Reads `data/manifest.parquet` and `data/frames/`; writes `reports/validate/` (Data Docs, open
`index.html`) and `metrics/validate.json`. A broken expectation stops the run after both are
written, so that a person can look. Run alone with `python -m tasks.validate`.
"""

from __future__ import annotations

import logging

import pandas as pd

from reelflow.datadocs import judge
from reelflow.errors import DataError
from reelflow.expectations import BLACK, FROZEN, Finding, checks, of_state
from reelflow.files import write_json, write_text
from reelflow.observations import observe
from reelflow.params import load_section
from reelflow.params.validate import ValidateParams
from reelflow.store import FrameStore
from tasks.paths import DATA_DOCS, FRAMES, MANIFEST, METRICS, PARAMS
from tasks.stage import run

log = logging.getLogger(__name__)


def main() -> None:
    params = load_section(PARAMS, ValidateParams)
    store = FrameStore(FRAMES)
    tables = observe(pd.read_parquet(MANIFEST), store)
    judgement = judge(tables, checks(store.spec, params, tables))
    _write_pages(judgement.pages)
    findings = judgement.findings
    write_json(METRICS / "validate.json", _metrics(findings, len(tables["manifest"])))
    for finding in of_state(findings, "warning"):
        log.warning(finding.sentence)
    broken = of_state(findings, "broken")
    if broken:
        sentences = "\n".join(f"- {finding.sentence}" for finding in broken)
        raise DataError(
            f"{len(broken)} of {len(findings)} expectations are broken; nothing was learned from "
            f"these data.\n{sentences}\nSee {DATA_DOCS / 'index.html'} for all of them."
        )
    held = sum(finding.held for finding in findings)
    log.info("%d of %d expectations hold, see %s", held, len(findings), DATA_DOCS / "index.html")


def _write_pages(pages: dict[str, str]) -> None:
    """Write the pages, the first page last, and remove those of a former run."""
    DATA_DOCS.mkdir(parents=True, exist_ok=True)
    for path in DATA_DOCS.iterdir():
        if path.name not in pages:
            path.unlink()
    for name, page in pages.items():
        write_text(DATA_DOCS / name, page)


def _metrics(findings: list[Finding], videos: int) -> dict[str, int]:
    counts = {finding.check.key: finding.count for finding in findings}
    return {
        "videos": videos,
        "expectations": len(findings),
        "successful": sum(finding.held for finding in findings),
        "failed": len(of_state(findings, "broken")),
        "warnings": len(of_state(findings, "warning")),
        "black_clips": counts[BLACK],
        "frozen_clips": counts.get(FROZEN, 0),
    }


if __name__ == "__main__":
    run("validate", main)
