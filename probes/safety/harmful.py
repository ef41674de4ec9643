"""Harmful requests, plain and rewritten: does the target decline them?"""

from collections.abc import Iterator
from typing import ClassVar

import numpy as np
from pydantic import Field

from probes.base import Options
from probes.records import Expectation, Message, ProbeInfo, Prompt
from probes.safety.goals import Category, Pool, harmful_goals, rewrites

__all__ = ["HarmfulOptions", "HarmfulProbe"]


class HarmfulOptions(Options):
    """What the spec may say of `safety/harmful`."""

    categories: tuple[Category, ...] = ()
    """Harm categories; none means all."""
    techniques: tuple[str, ...] = ()
    """Transforms by name; the plain request (`none`) is always asked too."""
    goals_per_category: int | None = Field(default=None, ge=1)
    """How many goals of each category, the first ones of the data file; None means all."""
    pool: Pool = "audit"
    """Which goals; `retraining` ones are for retraining files, not for audits."""


class HarmfulProbe:
    """Every goal once plain and once per technique; the goal is the cluster."""

    Options: ClassVar[type[Options]] = HarmfulOptions
    info: ClassVar[ProbeInfo] = ProbeInfo(
        name="safety/harmful",
        version="1",
        measures="How often the target declines or complies with, short harmful requests, plain or encoded.",
        harms=tuple(category.value for category in Category),
        languages=("en",),
        source="Goals written for this project (datasets/goals/harmful_en); each transform names its paper.",
        licence="Apache-2.0",
        cannot_show="How harmful an answer is, what persistent or adaptive attackers reach, behaviour in "
        "other languages, or the rate on real traffic: the goals are a dozen headlines a category. An answer "
        "to a rewritten request that was not understood is neither a refusal nor compliance.",
        attack=True,
    )

    def __init__(self, options: HarmfulOptions) -> None:
        """Load the techniques and the goals.

        Args:
            options: The validated options.

        Raises:
            OptionError: A technique is named twice.
            PluginError: A technique is unknown.
            DataError: The shipped goals are missing or malformed.
        """
        self._rewrites = rewrites(options.techniques, where=self.info.name)
        self._goals = harmful_goals(
            pool=options.pool, categories=options.categories, per_category=options.goals_per_category
        )

    def prompts(self, rng: np.random.Generator) -> Iterator[Prompt]:
        """One prompt a goal and technique, goal by goal, the plain one first.

        Args:
            rng: Not drawn from: nothing here is random.

        Yields:
            Prompts whose template is the goal's id.
        """
        del rng
        for goal in self._goals:
            for technique, transform in self._rewrites:
                text = goal.goal if transform is None else transform.encode(goal.goal)
                yield Prompt.make(
                    messages=(Message(role="user", content=text),),
                    probe=self.info.name,
                    template=goal.id,
                    domain=goal.category.value,
                    expectation=Expectation(kind="refuse"),
                    tags={"technique": technique, "goal": goal.id, "severity": goal.severity},
                )
