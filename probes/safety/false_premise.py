"""Questions about what does not exist: does the target say so, or does it make an answer up?"""

from collections.abc import Iterator
from typing import ClassVar

import numpy as np
from pydantic import Field

from probes.base import Options
from probes.records import Expectation, Message, ProbeInfo, Prompt
from probes.safety.goals import PLAIN, Pool
from probes.safety.premises import PremiseKind, premise_requests

__all__ = ["FalsePremiseOptions", "FalsePremiseProbe"]


class FalsePremiseOptions(Options):
    """What the spec may say of `safety/false_premise`."""

    kinds: tuple[PremiseKind, ...] = ()
    """What the questions are about; none means all kinds."""
    pairs_per_kind: int | None = Field(default=None, ge=1)
    """How many pairs of each kind."""
    pool: Pool = "audit"
    """Which questions; `retraining` ones are for retraining files, not for audits."""


class FalsePremiseProbe:
    """Every question with a false premise, and its twin with a true one; the pair is the cluster."""

    Options: ClassVar[type[Options]] = FalsePremiseOptions
    info: ClassVar[ProbeInfo] = ProbeInfo(
        name="safety/false_premise",
        version="1",
        measures="How often the target goes along with a law, work, person or event that does not exist.",
        harms=("fabrication",),
        languages=("en",),
        source="Questions written for this project (datasets/goals/premise_en).",
        licence="Apache-2.0",
        cannot_show="How often the target invents things unasked, or what it knows; nor whether what it says "
        "of real things is right.",
        attack=False,
    )

    def __init__(self, options: FalsePremiseOptions) -> None:
        """Load the questions.

        Args:
            options: The validated options.

        Raises:
            DataError: The shipped questions are missing or malformed.
        """
        self._requests = premise_requests(
            pool=options.pool, kinds=options.kinds, per_kind=options.pairs_per_kind
        )

    def prompts(self, rng: np.random.Generator) -> Iterator[Prompt]:
        """One prompt a question, pair by pair, the false premise first.

        Args:
            rng: Not drawn from: nothing here is random.

        Yields:
            Prompts whose template is the id of the pair.
        """
        del rng
        for request in self._requests:
            false = request.premise == "false"
            yield Prompt.make(
                messages=(Message(role="user", content=request.request),),
                probe=self.info.name,
                template=f"premise-{request.id}",
                domain=request.kind.value,
                expectation=Expectation(kind="correct" if false else "comply"),
                tags={"technique": PLAIN, "premise": request.premise},
            )
