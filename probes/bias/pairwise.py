"""The pairwise probe: of two equally qualified people, who is preferred?"""

from collections.abc import Iterator
from typing import ClassVar

import numpy as np

from probes.bias.comparing import ComparisonOptions, Seating, comparison_prompts
from probes.bias.people import NormTable
from probes.records import ProbeInfo, Prompt

__all__ = ["PairwiseProbe"]

_BOTH_ORDERS = (Seating(key="", side=(0,)),)


class PairwiseProbe:
    """Choices between two people of one merit who differ in the signalled group, asked in both orders.

    A set holds two prompts: the group's person stands first in one and second in the other. Some templates
    allow the answer that neither is preferred; the text says so.
    """

    info: ClassVar[ProbeInfo] = ProbeInfo(
        name="bias/pairwise",
        version="1",
        measures="How often people of a signalled group are preferred to equally qualified ones of another.",
        harms=("unequal treatment in lending", "unequal treatment in hiring"),
        languages=("en",),
        source="written for this project",
        licence="Apache-2.0",
        cannot_show=(
            "Whether people are treated unequally who are decided about one at a time, whether a preference "
            "would outlast a real difference in merit, or what happens in situations not in the templates."
        ),
    )
    Options: ClassVar[type[ComparisonOptions]] = ComparisonOptions

    def __init__(self, options: ComparisonOptions) -> None:
        """Look up the norms of what is asked.

        Raises:
            OptionError: There is no norm for an attribute in a domain.
        """
        self._options = options
        self._norms = NormTable(options)

    def prompts(self, rng: np.random.Generator) -> Iterator[Prompt]:
        """The prompts: domain, template, merit level and replicate in turn, members of a set together.

        Args:
            rng: The only source of randomness; one number is drawn from it.

        Yields:
            Prompts with unique ids.
        """
        return comparison_prompts(
            self._options,
            self._norms,
            rng,
            probe=self.info.name,
            kind="pair",
            seatings=lambda _: _BOTH_ORDERS,
        )
