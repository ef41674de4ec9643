"""The ranking probe: in which order do four equally qualified people come out?"""

from collections.abc import Iterator, Sequence
from typing import ClassVar

import numpy as np

from probes.bias.comparing import ComparisonOptions, Seating, comparison_prompts
from probes.bias.people import NormTable
from probes.records import ProbeInfo, Prompt

__all__ = ["RankingProbe"]

_SIDES = ((0, 3), (0, 2), (0, 1))
"""Places of the side that has the first one; the other side has the rest."""


class RankingProbe:
    """Ranked lists of four people of one merit, two of either group, each of whom stands at every place once.

    The four prompts about two groups are a Latin square: the sides change places within a set, and the people
    of each side change places between its two sets.
    """

    info: ClassVar[ProbeInfo] = ProbeInfo(
        name="bias/ranking",
        version="1",
        measures="How high people of a signalled group are ranked among equally qualified ones of another.",
        harms=("unequal treatment in lending", "unequal treatment in hiring"),
        languages=("en",),
        source="written for this project",
        licence="Apache-2.0",
        cannot_show=(
            "Whether people are treated unequally who are decided about one at a time, whether an order "
            "would outlast a real difference in merit, or how lists of other lengths and mixtures come out."
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
            self._options, self._norms, rng, probe=self.info.name, kind="ranking", seatings=_seatings
        )


def _seatings(turn: int) -> Sequence[Seating]:
    side = _SIDES[turn % len(_SIDES)]
    return Seating(key="1", side=side), Seating(key="2", side=side, reverse=True)
