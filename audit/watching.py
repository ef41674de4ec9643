"""Following a run while it is asked: starts the process that tells what is known least, and passes it on."""

import logging
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Thread

from pydantic import ValidationError

from audit.collection.progress import Progress, Widest
from audit.planned_run import Run

__all__ = ["watching"]

STARTS_AFTER_S = 10.0
"""Shorter collections are over before there is much to tell."""
MOST_PLANNED = 200_000
"""Outputs planned; beyond, a copy of the store would take too much memory and disk for a display."""
_ENDS_WITHIN_S = 5.0

_log = logging.getLogger(__name__)


@contextmanager
def watching(
    run: Run, show: Callable[[Progress], None] | None, *, after_s: float = STARTS_AFTER_S
) -> Iterator[Callable[[Progress], None] | None]:
    """What to call with each `Progress` so that it is shown with what is known least so far.

    Args:
        run: The run.
        show: Shows progress; None if nobody looks, and then nobody is asked.
        after_s: Seconds of collecting after which the process starts.

    Yields:
        `show`, told more.
    """
    if show is None or run.plan.requests > MOST_PLANNED:
        yield show
        return
    beside = _Beside(run)

    def told(progress: Progress) -> None:
        if progress.elapsed_s >= after_s:
            beside.start()
        show(progress.model_copy(update={"widest": beside.latest}) if beside.latest else progress)

    try:
        yield told
    finally:
        beside.end()


class _Beside:
    """The process, once it was started, and the last thing it told."""

    def __init__(self, run: Run) -> None:
        self.latest: Widest | None = None
        self._folder = run.folder.path
        self._process: subprocess.Popen[str] | None = None
        self._failed = False

    def start(self) -> None:
        """Start it unless it was."""
        if self._process is not None or self._failed:
            return
        try:
            self._process = subprocess.Popen(  # noqa: S603 - this program itself
                [sys.executable, "-m", "audit.provisional", str(self._folder)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                start_new_session=True,  # Ctrl-C is for the run, which ends this process itself.
            )
        except OSError as error:
            self._failed = True
            _log.debug("nothing is told of the widest interval: %s", error)
            return
        Thread(target=self._listen, args=(self._process,), name="provisional", daemon=True).start()

    def _listen(self, process: "subprocess.Popen[str]") -> None:
        for line in process.stdout or ():
            try:
                self.latest = Widest.model_validate_json(line)
            except ValidationError as error:
                _log.debug("not understood: %s", error)

    def end(self) -> None:
        """End it, whatever it is doing."""
        process = self._process
        if process is None:
            return
        process.terminate()
        try:
            process.communicate(timeout=_ENDS_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
