"""Decoding on a Dask cluster: that at `DASK_SCHEDULER_ADDRESS`, else one of this machine's cores.

Dask hands out the videos, and those of a lost worker once more. Workers need this package and the
raw videos, in a folder that they see or at an address that fsspec reads. The clips come back with
the answers and are written here, so the machines share no disk.
"""

from __future__ import annotations

import logging
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from concurrent.futures import CancelledError
from contextlib import ExitStack, contextmanager, suppress
from functools import cache, partial
from itertools import islice
from pathlib import Path

import dask
import fsspec
from distributed import Client, Future, KilledWorker, LocalCluster, wait

from reelflow.base.decoder_versions import decoders
from reelflow.base.errors import DataError, UnavailableError, VideoError
from reelflow.base.parallel import worker_count
from reelflow.extraction.decoded_cache import clip_path
from reelflow.extraction.engines import Engine, Video, or_error, record_for
from reelflow.store.clip_spec import ClipSpec
from reelflow.store.shards import Records, write_shard
from reelflow.video.process_limits import Bounds

log = logging.getLogger(__name__)

# Videos in hand for each thread of the cluster, so that none waits for the network.
_AHEAD = 4
# Seconds without an answer after which to check that a worker is left.
_PATIENCE = 10.0


def dask_engine(raw: str, kept: Path, spec: ClipSpec, bounds: Bounds, workers: int) -> Engine:
    """An engine on a Dask cluster, which is reached or started when there is something to decode.

    Args:
        raw: the folder that the paths of the videos are relative to, as workers see it: a path, or
            an address such as `s3://bucket/raw` that fsspec reads.
        kept: folder of the frame cache, here.
        spec: the clip of every video.
        bounds: limits of each decoder.
        workers: processes of a cluster that is started here, 0 for one a core.

    The engine raises `UnavailableError` where the cluster or the videos cannot be reached, and
    `DataError` where a worker has another version of what decodes.
    """
    work = partial(_fetch, raw, spec, bounds, _made_by(spec))
    return partial(_run, partial(or_error, work), kept, spec, workers)


def _run(
    work: partial[Records | VideoError],
    kept: Path,
    spec: ClipSpec,
    workers: int,
    videos: Iterable[Video],
) -> Iterator[tuple[Video, VideoError | None]]:
    waiting = iter(videos)
    held: dict[Future, Video] = {}
    with _client(workers) as client:
        while True:
            with _sentences():
                # If there is no worker yet, one may come.
                threads = max(1, sum(client.nthreads().values()))
            more = list(islice(waiting, max(0, _AHEAD * threads - len(held))))
            with _sentences():
                # Not pure: otherwise Dask hashes all its times to name the task.
                held |= {client.submit(work, video, pure=False): video for video in more}
                done = _done(client, list(held))
                answers = [(held.pop(future), future.result()) for future in done]
            if not answers:
                return
            for video, record in answers:
                if isinstance(record, VideoError):
                    yield video, record
                    continue
                write_shard(clip_path(kept, spec, video[1].hash), record)
                yield video, None


@contextmanager
def _client(workers: int) -> Iterator[Client]:
    # Dask's own dashboard shows what happens inside.
    logging.getLogger("distributed").setLevel(logging.WARNING)
    address = dask.config.get("scheduler-address", None)
    with ExitStack() as stack:
        try:
            cluster = address or stack.enter_context(
                LocalCluster(
                    n_workers=worker_count(workers),
                    threads_per_worker=1,
                    host="127.0.0.1",
                    dashboard_address="127.0.0.1:0",
                )
            )
            client = stack.enter_context(Client(cluster, set_as_default=False))
        except (OSError, TimeoutError) as error:
            raise UnavailableError(
                f"No Dask scheduler answers at {address or 'this machine'} ({error}). Start it, "
                "set DASK_SCHEDULER_ADDRESS to where it is, or set extract.engine to local."
            ) from None
        log.info("decoding on the Dask cluster at %s", client.scheduler.address)
        yield client


def _done(client: Client, futures: list[Future]) -> set[Future]:
    """Wait for one of them at least; return those that are done."""
    while futures:
        with client.as_current(), suppress(TimeoutError):
            return wait(futures, _PATIENCE, return_when="FIRST_COMPLETED").done
        if isinstance(client.cluster, LocalCluster):
            # Dask does not replace a worker that dies while it starts; this does.
            client.cluster.scale(len(client.cluster.worker_spec))
        elif not client.nthreads():
            log.warning("no worker is at %s; waiting for one", client.scheduler.address)
    return set()


@contextmanager
def _sentences() -> Iterator[None]:
    """Turn what Dask raises where the cluster is lost, or lacks this package, into a sentence."""
    try:
        yield
    except (OSError, CancelledError, KilledWorker) as error:  # a TimeoutError is an OSError
        raise UnavailableError(
            f"The Dask cluster went away while it decoded ({error}). Run the same command again: "
            "the frames that it had sent are kept."
        ) from None
    except ImportError as error:
        raise DataError(
            f"A Dask worker cannot decode ({error}): install this package there, in the same "
            "version as here."
        ) from None


def _fetch(raw: str, spec: ClipSpec, bounds: Bounds, made_by: str, video: Video) -> Records:
    """On a worker: the record of a video. Raises `VideoError` as `record_for`."""
    if made_by != _made_by(spec):
        raise DataError(
            f"A Dask worker has another version of this package or of ffmpeg ({_made_by(spec)}, "
            f"here {made_by}): its frames could differ. Install the same versions there."
        )
    if "://" not in raw:
        return record_for(Path(raw), spec, bounds, video)
    path, info = video
    address = f"{raw.rstrip('/')}/{path}"
    with tempfile.TemporaryDirectory(prefix="reelflow-") as folder:
        copy = Path(folder, info.hash)
        try:
            with fsspec.open(address, "rb") as source, copy.open("wb") as target:
                shutil.copyfileobj(source, target)
        except FileNotFoundError:
            reason, remedy = "There is no such file.", "Copy the videos there."
            raise VideoError(address, "missing", reason, remedy) from None
        except Exception as error:  # noqa: BLE001 (each kind of store has errors of its own)
            raise UnavailableError(f"{address} cannot be read on a Dask worker: {error}") from None
        return record_for(copy.parent, spec, bounds, (copy.name, info))


@cache
def _made_by(spec: ClipSpec) -> str:
    """What the bytes of a clip depend on: the bytes are equal if this is equal."""
    return f"clip {spec.id}, {decoders()}"
