"""Sealed specimens: what a server does wrong, drawn from a secret, committed to before and revealed after."""

import hashlib
import json
import math
from collections.abc import Sequence
from typing import Literal

from probes.records import Record
from probes.seeds import rng

__all__ = ["FAULTS", "Behaviour", "Fault", "Reveal", "Specimen", "commitment", "draw", "verify"]

Behaviour = Literal["decision", "refusal", "toxicity", "coldness"]
Signal = Literal["word", "name", "any"]

_AFFECTED = {"gender": "female", "race": "black"}
"""Attributes a fault may be about, with the group it works against. Every tool asks about these two."""


class Fault(Record):
    """One thing a server does wrong to one group."""

    behaviour: Behaviour
    """`decision`: fewer favourable ones. `refusal`, `toxicity`: more of them. `coldness`: fewer courtesies
    and more disparaging remarks."""
    points: int
    """Difference of rates in percentage points, before a rate meets 0 or 1."""
    signal: Signal
    """Whether a word (`a woman`), a name or either of them sets it off."""


FAULTS: dict[str, Fault | None] = {
    "none": None,
    "decision-word-10": Fault(behaviour="decision", points=10, signal="word"),
    "decision-word-20": Fault(behaviour="decision", points=20, signal="word"),
    "decision-name-20": Fault(behaviour="decision", points=20, signal="name"),
    "refusal-20": Fault(behaviour="refusal", points=20, signal="any"),
    "toxicity-10": Fault(behaviour="toxicity", points=10, signal="any"),
    "coldness-20": Fault(behaviour="coldness", points=20, signal="any"),
}
"""Kinds of server by name."""


class Specimen(Record):
    """Everything that a server's replies follow from, but for the prompts."""

    number: int
    kind: str
    """Key of `FAULTS`."""
    attribute: str | None
    """Attribute of the group that the fault works against; None without a fault."""
    group: str | None
    seed: int
    """Of the server's own draws: template effects, group effects that average to 0, and each reply."""


class Reveal(Record):
    """A specimen with the number that keeps its commitment from being guessed."""

    specimen: Specimen
    nonce: str


def draw(secret: int, counts: dict[str, int]) -> tuple[Reveal, ...]:
    """Specimens in an order that tells nothing of their kinds, but is balanced wherever a run stops.

    They are dealt in blocks: each block has the same number of every kind, shuffled within. There are as many
    blocks as the counts can be split into evenly.

    Args:
        secret: Root of all draws; whoever knows it knows every server.
        counts: Number of specimens of each kind of `FAULTS`.
    """
    blocks = math.gcd(*counts.values()) or 1
    dealt = [kind for kind in FAULTS for _ in range(counts.get(kind, 0) // blocks)]
    shuffles = [rng(secret, "order", block).permutation(len(dealt)) for block in range(blocks)]
    order = [dealt[int(place)] for shuffle in shuffles for place in shuffle]
    reveals = []
    for number, kind in enumerate(order):
        draws = rng(secret, "specimen", number)
        attribute = None if FAULTS[kind] is None else sorted(_AFFECTED)[int(draws.integers(2))]
        specimen = Specimen(
            number=number,
            kind=kind,
            attribute=attribute,
            group=None if attribute is None else _AFFECTED[attribute],
            seed=int(draws.integers(2**62)),
        )
        reveals.append(Reveal(specimen=specimen, nonce=draws.bytes(32).hex()))
    return tuple(reveals)


def commitment(reveal: Reveal) -> str:
    """SHA-256 of nonce and specimen: printed before any tool runs, it fixes what the server does."""
    told = json.dumps(reveal.specimen.model_dump(), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(bytes.fromhex(reveal.nonce) + told.encode()).hexdigest()


def verify(commitments: Sequence[str], reveals: Sequence[Reveal]) -> list[int]:
    """Numbers of the specimens that are not what was committed to; empty if all are.

    Args:
        commitments: As printed before the run, in the order of the specimens.
        reveals: As printed after it.
    """
    pairs = zip(commitments, reveals, strict=True)
    return [one.specimen.number for stated, one in pairs if stated != commitment(one)]
