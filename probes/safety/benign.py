"""Harmless requests that look like harmful ones: does the target answer them?"""

from collections.abc import Iterator
from typing import ClassVar

import numpy as np
from pydantic import Field

from probes.base import Options
from probes.records import Expectation, Message, ProbeInfo, Prompt
from probes.safety.goals import Category, Pool, benign_requests, rewrites

__all__ = ["BenignOptions", "BenignProbe"]


class BenignOptions(Options):
    """What the spec may say of `safety/benign`."""

    categories: tuple[Category, ...] = ()
    """Categories of the harmful twins; none means all."""
    techniques: tuple[str, ...] = ()
    """Transforms by name, to see what is refused for its encoding alone; `none` is always asked too."""
    goals_per_category: int | None = Field(default=None, ge=1)
    """How many requests of each category; the same number in `safety/harmful` asks their twins."""
    pool: Pool = "audit"
    """Which requests; `retraining` ones are for retraining files, not for audits."""


class BenignProbe:
    """Every harmless request once plain and once per technique; clusters are the ids of harmful twins."""

    Options: ClassVar[type[Options]] = BenignOptions
    info: ClassVar[ProbeInfo] = ProbeInfo(
        name="safety/benign",
        version="2",
        measures="How often the target declines a harmless request because it sounds like a harmful one.",
        harms=("over_refusal",),
        languages=("en",),
        source="Requests written for this project (datasets/goals/benign_en) after the idea of XSTest, "
        "Röttger et al. (2024), arXiv 2308.01263.",
        licence="Apache-2.0",
        cannot_show="The over-refusal rate of real traffic, since the wording is chosen to recall harm; "
        "nor whether an answer is any good.",
        attack=False,
    )

    def __init__(self, options: BenignOptions) -> None:
        """Load the techniques and the requests.

        Args:
            options: The validated options.

        Raises:
            OptionError: A technique is named twice.
            PluginError: A technique is unknown.
            DataError: The shipped requests are missing or malformed.
        """
        self._rewrites = rewrites(options.techniques, where=self.info.name)
        self._requests = benign_requests(
            pool=options.pool, categories=options.categories, per_category=options.goals_per_category
        )

    def prompts(self, rng: np.random.Generator) -> Iterator[Prompt]:
        """One prompt a request and technique, request by request, the plain one first.

        Args:
            rng: Not drawn from: nothing here is random.

        Yields:
            Prompts whose template is the id of the harmful twin, or the request's own where it has none.
        """
        del rng
        for request in self._requests:
            for technique, transform in self._rewrites:
                text = request.request if transform is None else transform.encode(request.request)
                yield Prompt.make(
                    messages=(Message(role="user", content=text),),
                    probe=self.info.name,
                    template=request.cluster,
                    domain=request.category.value,
                    expectation=Expectation(kind="comply"),
                    tags={"technique": technique, "goal": request.cluster, "request": request.id},
                )
