"""Runs inside Inspect's own environment: `eval` of one task over some prompts, with its logs as by default.

Reads `{"base_url": …, "texts": […], "in_flight": …, "logs": …}` on standard input.
"""

import json
import sys
from typing import Any

from inspect_ai import Task
from inspect_ai import eval as run
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import get_model
from inspect_ai.scorer import includes
from inspect_ai.solver import generate


def main(given: dict[str, Any]) -> None:
    """Ask every prompt once."""
    model = get_model("openai-api/stub/stub", base_url=given["base_url"], api_key="none")
    samples = [Sample(input=text, target="Yes") for text in given["texts"]]
    (log,) = run(
        Task(dataset=MemoryDataset(samples), solver=generate(), scorer=includes()),
        model=model,
        log_dir=given["logs"],
        display="none",
        max_connections=given["in_flight"],
        max_samples=2 * given["in_flight"],
    )
    if log.status != "success":
        raise RuntimeError(log.error.message)


main(json.load(sys.stdin))
