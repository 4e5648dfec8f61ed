"""Work on many files in several processes, of which each may crash.

A decoder can crash and end its process. `each` still yields a result for every item: it tries the
items that were in work again, one by one, and an item that ends its process a second time gets a
`ProcessDiedError`. A single item is worked on in our own process.
"""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from itertools import chain, islice
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

# A process is replaced after so many files, to bound the memory that a decoder leaks.
_FILES_A_PROCESS = 1000


class ProcessDiedError(Exception):
    """The process that worked on an item was killed or crashed, twice."""


def worker_count(wanted: int) -> int:
    """`wanted` processes, or one a core that this process may use if `wanted` is 0."""
    return wanted or len(os.sched_getaffinity(0))


def each(
    function: Callable[[Item], Result], items: Iterable[Item], workers: int
) -> Iterator[tuple[Item, Result | ProcessDiedError]]:
    """Yield `(item, function(item))` as the results come, in no certain order.

    Args:
        function: importable by name (it is sent to other processes); what it raises is raised here.
        items: read only as fast as they are worked on, so that memory stays flat.
        workers: processes at once; 0 for one a core. Starting a process takes longer than most
            videos, so that this process works on an item that is alone.
    """
    workers = worker_count(workers)
    items = iter(items)
    first = list(islice(items, 2))
    if len(first) == 1:
        yield first[0], function(first[0])
        return
    numbered = enumerate(chain(first, items))
    unanswered: dict[int, Item] = {}
    finished = False
    while not finished:
        try:
            yield from _in_one_pool(function, numbered, workers, unanswered)
            finished = True
        except BrokenProcessPool:
            for item in unanswered.values():
                yield item, _alone(function, item)
            unanswered.clear()


def _in_one_pool(
    function: Callable[[Item], Result],
    numbered: Iterator[tuple[int, Item]],
    workers: int,
    unanswered: dict[int, Item],
) -> Iterator[tuple[Item, Result]]:
    """Work through the items in one pool. If it breaks, `unanswered` holds what was in flight."""
    futures: dict[Future[Result], int] = {}
    pool = _pool(workers)
    try:
        while True:
            for number, item in islice(numbered, 2 * workers - len(futures)):
                unanswered[number] = item
                futures[pool.submit(function, item)] = number
            if not futures:
                return
            done, _ = wait(futures, return_when=FIRST_COMPLETED)
            for future in done:
                result = future.result()
                yield unanswered.pop(futures.pop(future)), result
    finally:
        pool.shutdown(cancel_futures=True)


def _alone(function: Callable[[Item], Result], item: Item) -> Result | ProcessDiedError:
    try:
        with _pool(1) as pool:
            return pool.submit(function, item).result()
    except BrokenProcessPool as error:
        return ProcessDiedError(str(error))


def _pool(workers: int) -> ProcessPoolExecutor:
    # Not `fork`: a forked child inherits locks that other threads of its parent held.
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(
        workers, context, initializer=_end_with_parent, max_tasks_per_child=_FILES_A_PROCESS
    )


def _end_with_parent() -> None:
    """End this process with its parent; otherwise it would wait for the next item for ever."""
    parent = multiprocessing.parent_process()
    assert parent is not None

    def watch() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
