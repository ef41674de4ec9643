"""A process that collects from a deterministic target and logs every request, to be killed by a test.

Usage: python collect_slowly.py RUN_FOLDER LOG_FILE
"""

import asyncio
import hashlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from audit.collection import CollectionPlan, collect
from audit.records import Output, Request
from audit.store.store import Store
from audit.targets.base import TargetInfo
from probes.base import Options as PluginOptions


class LoggingTarget:
    """Answers with a digest of the question, after logging durably that it was asked."""

    Options: ClassVar[type[PluginOptions]] = PluginOptions

    def __init__(self, name: str, log: Path) -> None:
        """Ready to be asked."""
        self.info = TargetInfo(name=name, deterministic=True, batch_size=2, max_in_flight=4)
        self._log = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    @classmethod
    def secret_names(cls, options: PluginOptions) -> tuple[str, ...]:  # noqa: ARG003 - the seam asks for it
        """None."""
        return ()

    async def generate(self, requests: Sequence[Request], *, seed: int) -> Sequence[Output]:
        """Log, wait a little, reply."""
        for request in requests:
            key = [self.info.name, request.prompt_id, request.repeat, request.attempt]
            os.write(self._log, f"{' '.join(map(str, key))}\n".encode())
        os.fsync(self._log)
        await asyncio.sleep(0.004)
        return [
            Output(
                target=self.info.name,
                prompt_id=request.prompt_id,
                repeat=request.repeat,
                attempt=request.attempt,
                text=hashlib.sha256(f"{seed} {request.messages} {request.repeat}".encode()).hexdigest(),
            )
            for request in requests
        ]

    async def aclose(self) -> None:
        """Nothing to give back."""


def main(folder: Path, log: Path) -> None:
    """Collect what is missing in a run."""
    targets = {name: LoggingTarget(name, log) for name in ("target", "baseline")}
    with Store.open(folder) as store:
        asyncio.run(collect(store, targets, CollectionPlan(repeats=2, seed=7)))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
