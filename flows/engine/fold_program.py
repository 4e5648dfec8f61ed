"""The program that does folds, `tasks.fold`: started once, then given one job after another."""

from __future__ import annotations

import queue
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress

from flows.engine import stage_process
from reelflow.base.errors import ReelflowError, ended_with
from reelflow.crossval.figures import Answered
from reelflow.crossval.finished_folds import Job, find
from tasks.common.paths import FOLDS
from tasks.fold import DONE, ERROR, line_of


class FoldError(ReelflowError):
    """A fold could not be done."""


class FoldProgram:
    """One such program. It starts with its first job, and anew after it was killed."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._process: subprocess.Popen[bytes] | None = None

    def do(self, job: Job, on_line: Callable[[str], None]) -> Answered:
        """The outcome of a job, which is kept from then on; at once if it was kept before.

        Args:
            on_line: takes each line of the training's log.

        Raises:
            FoldError: it failed, with the sentence of the program.
            StoppedError: the run is being stopped.
        """
        if not find(FOLDS, job):
            self._do(job, on_line)
        found = find(FOLDS, job)
        if not found:
            raise FoldError(f"{FOLDS} lost files while this ran: run the same command again.")
        return found

    def close(self) -> None:
        """End the program."""
        process, self._process = self._process, None
        if process and process.stdin:
            with suppress(BrokenPipeError):  # it has ended already
                process.stdin.close()
            process.wait()
        self._stack.close()

    def _do(self, job: Job, on_line: Callable[[str], None]) -> None:
        if self._process is None:
            command = [sys.executable, "-m", "tasks.fold"]
            running = stage_process.program(command, stdin=subprocess.PIPE)
            self._process = self._stack.enter_context(running)
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        with suppress(BrokenPipeError):  # the reason is reported below
            process.stdin.write(f"{line_of(job)}\n".encode())
            process.stdin.flush()
        last = ""
        for raw in process.stdout:
            line = stage_process.clean(raw)
            if line == DONE:
                return
            if line.startswith(ERROR):
                raise FoldError(line.removeprefix(ERROR))
            last = line or last
            on_line(line)
        status = process.wait()
        self.close()  # raises if the run is being stopped
        raise FoldError(
            f"The training of {job.fold.name} {ended_with(status)}. What was finished is kept: the "
            f"same command goes on from there. Its last words: {last or 'none'}"
        )


@contextmanager
def fold_programs(most: int) -> Iterator[queue.Queue[FoldProgram]]:
    """So many programs for the folds of a run, each for one thread at a time; ended at its end."""
    free: queue.Queue[FoldProgram] = queue.Queue()
    with ExitStack() as stack:
        for _ in range(most):
            free.put(stack.enter_context(closing(FoldProgram())))
        yield free
