"""A process that submits and gathers batches, to be killed by a test.

Usage: python -m tests.audit.integration.collect_batches RUN_FOLDER BASE_URL
"""

import asyncio
import sys
from pathlib import Path

from audit.collection.batches import collect_batches
from audit.collection.runner import CollectionPlan
from audit.store.store import Store
from audit.targets.base import TargetContext
from audit.targets.batching.openai_api import OpenAIBatchOptions, OpenAIBatchTarget


async def main(folder: Path, url: str) -> None:
    """One invocation: gather what has ended, submit what is pending."""
    options = OpenAIBatchOptions(base_url=url, model="m", batch_requests=30)
    targets = {
        name: OpenAIBatchTarget(options, TargetContext(name=name, root=folder))
        for name in ("target", "baseline")
    }
    with Store.open(folder) as store:
        await collect_batches(store, targets, CollectionPlan(repeats=2, seed=7))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))
