"""The `specimen` target: planted, documented faults of known size, to calibrate the instrument with.

It is asked like any model and knows nothing but the text. Its exact expectation is public
(`favourable_probability`), so that a test can hold what an audit states against what was planted:

    p(favourable | a decision is named) = favourable_rate + wording + merit_effect * merit
                                          + sum of planted gaps + sum of slopes of these gaps

where wording and slopes are fixed for a wording: uniform, mean 0, standard deviation `template_sd` and
`slope_sd`, drawn from `wording_seed` and a hash of the last paragraph (the question) without identity words,
names, pronouns, proper nouns and numbers. So the texts of one counterfactual set share them, and over
wordings the expected difference to a reference group without gaps of its own is the planted gap exactly. A
choice among lettered options is drawn evenly, and no gap is planted in it.

Of two people who are compared, with the sum of the planted preferences for the groups of each:

    p(the one listed first is preferred) = 0.5 + first_listed + preferences of the first - of the second

Of several who are ranked, with a chance of twice the distance between the highest and the lowest preference
the order is that of the preferences, with a chance of twice `first_listed` that of the list, and else any
order: so any two of them who differ by that distance come out as a pair would.
"""

import hashlib
import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import permutations
from typing import ClassVar

from audit.records import Output, Request
from audit.targets.base import TargetContext, TargetInfo
from audit.targets.specimen import replies as specimen_replies
from audit.targets.specimen.faults import SPREAD, Gaps, SpecimenOptions, gap_of
from audit.targets.specimen.reading import Reader, Reading
from probes.base import Options as PluginOptions
from probes.seeds import rng

__all__ = ["SpecimenTarget"]

_CACHED_READINGS = 8192


class SpecimenTarget:
    """Answers with planted faults.

    The draws depend on the root seed, the prompt's id and the repeat only: a resumed run is the same run, and
    two specimens asked the same prompts under one seed share their luck. Do not use it as a stand-in for
    a model's language: its answers carry nothing but the planted behaviour.
    """

    Options: ClassVar[type[PluginOptions]] = SpecimenOptions

    def __init__(self, options: SpecimenOptions, context: TargetContext) -> None:
        """Keep the faults; shipped data is read at the first `generate`."""
        self._options = options
        self._places = tuple(word.lower() for word in options.only_where)
        reader = Reader()
        self._read = lru_cache(maxsize=_CACHED_READINGS)(reader.read)
        self._merit = lru_cache(maxsize=_CACHED_READINGS)(reader.merit)
        self.info = TargetInfo(
            name=context.name,
            deterministic=True,
            batch_size=256,
            max_in_flight=1,
            facts={"type": "specimen", "faults": options.model_dump_json(exclude_defaults=True)},
        )

    @classmethod
    def secret_names(cls, options: PluginOptions) -> tuple[str, ...]:  # noqa: ARG003 - the seam asks for it
        """None."""
        return ()

    async def generate(self, requests: Sequence[Request], *, seed: int) -> Sequence[Output]:
        """One output for each request, in order.

        Args:
            requests: Any number of them.
            seed: The run's root seed.
        """
        return [self._output(request, seed) for request in requests]

    async def aclose(self) -> None:
        """Nothing is held open."""

    def favourable_probability(self, text: str) -> float | None:
        """Probability of the favourable option, given that the reply names one.

        Args:
            text: The last user message of a prompt.

        Returns:
            A probability in [0, 1], exact; None if the text asks for no decision.
        """
        reading = self._read(text)
        if reading.question is None:
            return None
        options = self._options
        chance = options.favourable_rate + options.merit_effect * (
            self._merit(text) if options.merit_effect else 0.0
        )
        chance += options.template_sd * self._effect(reading.wording, "wording")
        if self._holds_here(text):
            for attribute, group, points in gap_of(options.gaps, reading.groups):
                chance += points + options.slope_sd * self._effect(reading.wording, attribute, group)
        return min(1.0, max(0.0, chance))  # against rounding only: the options are checked

    def first_preferred_probability(self, text: str) -> float | None:
        """Probability that of two people who are compared the one listed first is preferred.

        Args:
            text: The last user message of a prompt.

        Returns:
            A probability in [0, 1], exact; None if the text does not compare two people.
        """
        people = self._read(text).candidates
        if len(people) != 2:  # noqa: PLR2004 - a pair
            return None
        liked = [self._preference(text, groups) for _, groups in people]
        return min(1.0, max(0.0, 0.5 + self._options.first_listed + liked[0] - liked[1]))

    def toxicity_probability(self, text: str) -> float:
        """Probability that an answer to this text, if it is no refusal, ends with an insult.

        Args:
            text: The last user message of a prompt.

        Returns:
            A probability in [0, 1], exact.
        """
        gaps: Gaps = self._options.toxicity.gaps if self._holds_here(text) else {}
        added = sum(points for _, _, points in gap_of(gaps, self._read(text).groups))
        return min(1.0, max(0.0, self._options.toxicity.rate + added))

    def compliance_probability(self, text: str) -> float | None:
        """Probability that a harmful request, or a harmless one, is complied with.

        Args:
            text: The last user message of a prompt.

        Returns:
            A probability in [0, 1], exact; None if the text asks for a decision, choice or comparison.
        """
        reading = self._read(text)
        if reading.kind in ("decision", "choice", "comparison"):
            return None
        faults = self._options.refusal
        if reading.kind == "request":
            return 1 - faults.over_refusal
        if reading.technique is None:
            return faults.harmful_compliance
        return faults.techniques.get(reading.technique, faults.harmful_compliance)

    def _holds_here(self, text: str) -> bool:
        lowered = text.lower() if self._places else ""
        return not self._places or any(word in lowered for word in self._places)

    def _output(self, request: Request, seed: int) -> Output:
        said = [message.content for message in request.messages if message.role == "user"]
        text = said[-1] if said else request.messages[-1].content
        draws: list[float] = (
            rng(seed, "specimen", request.prompt_id, request.turn, request.repeat).random(6).tolist()
        )
        empty = draws[0] < self._options.empty_rate
        return Output(
            target=self.info.name,
            prompt_id=request.prompt_id,
            turn=request.turn,
            repeat=request.repeat,
            attempt=request.attempt,
            text="" if empty else self._reply(text, draws),
            finish_reason="stop",
            model="specimen",
        )

    def _reply(self, text: str, draws: Sequence[float]) -> str:
        _, which, chance, toxic, unnamed, insult = draws
        reading = self._read(text)
        complies = self.compliance_probability(text)
        if complies is not None and chance >= complies:
            return specimen_replies.refusal(which)
        reply = self._answer(text, reading, which, chance, unparsed=unnamed < self._options.unparsed_rate)
        if toxic < self.toxicity_probability(text):
            return f"{reply} {specimen_replies.insult(insult)}"
        return reply

    def _answer(self, text: str, reading: Reading, which: float, chance: float, *, unparsed: bool) -> str:
        if reading.kind == "harmful":
            return specimen_replies.compliance(which)
        if reading.kind == "request":
            return specimen_replies.help_given(which)
        if unparsed:
            return specimen_replies.undecided(which)
        if reading.kind == "comparison":
            return self._compared(text, reading, which, chance)
        if reading.question is None:
            return reading.options[int(chance * len(reading.options))]
        favourable = chance < (self.favourable_probability(text) or 0.0)
        return specimen_replies.decision(reading.question, favourable=favourable, draw=which)

    def _compared(self, text: str, reading: Reading, which: float, chance: float) -> str:
        first = self.first_preferred_probability(text)
        if first is None:
            return specimen_replies.ranking(self._order(text, chance), which)
        return specimen_replies.preference(reading.candidates[0 if chance < first else 1][0], which)

    def _order(self, text: str, chance: float) -> list[str]:
        """The labels of the people who are to be ranked, the best first."""
        people = self._read(text).candidates
        liked = [self._preference(text, groups) for _, groups in people]
        by_preference, by_list = 2 * (max(liked) - min(liked)), 2 * abs(self._options.first_listed)
        orders = list(permutations(range(len(people))))
        if chance < by_preference:
            # Whoever is liked alike comes in any order: a stable sort of one that is drawn evenly.
            order = orders[int(chance / by_preference * len(orders))]
            return [people[place][0] for place in sorted(order, key=lambda place: -liked[place])]
        if chance < by_preference + by_list:
            labels = [label for label, _ in people]
            return labels if self._options.first_listed > 0 else labels[::-1]
        left = (chance - by_preference - by_list) / (1 - by_preference - by_list)
        return [people[place][0] for place in orders[int(left * len(orders))]]

    def _preference(self, text: str, groups: Mapping[str, str]) -> float:
        planted: Gaps = self._options.preferences if self._holds_here(text) else {}
        return sum(points for _, _, points in gap_of(planted, groups))

    def _effect(self, wording: bytes, *names: str) -> float:
        """A number with mean 0 and standard deviation 1 over wordings, uniform, one for each wording."""
        salt = self._options.wording_seed.to_bytes(8, "big")
        digest = hashlib.blake2b(wording + "\x1f".join(names).encode(), digest_size=8, salt=salt).digest()
        return SPREAD * (math.ldexp(int.from_bytes(digest, "big"), -63) - 1)
