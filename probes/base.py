"""The seam of probe generators: what every probe, built in or third party, must offer."""

from collections.abc import Iterator
from typing import ClassVar, Protocol

import numpy as np
from pydantic import BaseModel, ConfigDict

from probes.records import ProbeInfo, Prompt

__all__ = ["Options", "Probe", "Transform", "TransformInfo"]


class Options(BaseModel):
    """Base of a plug-in's options: what its part of the spec may say. Unknown keys are errors."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Probe(Protocol):
    """Makes prompts; never sees a model.

    A plug-in is a class with these members, constructed with its validated `Options`, and
    registered under the entry-point group `evenhand.probes`. Its class attribute `Options` is the
    subclass of the class above that validates its part of the spec.
    """

    info: ClassVar[ProbeInfo]

    def prompts(self, rng: np.random.Generator) -> Iterator[Prompt]:
        """The prompts, in a stable order; the same generator state gives the same prompts.

        Args:
            rng: The only source of randomness the probe may use.

        Yields:
            Prompts with unique ids, the members of one set next to each other.
        """
        ...


class TransformInfo(BaseModel):
    """What a transform is."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    version: str
    summary: str
    source: str
    """Paper or page that describes the technique."""
    reversible: bool
    """True if `decode` gives back the text exactly (up to letter case)."""


class Transform(Protocol):
    """A pure rewrite of a request, text to text.

    Registered under the entry-point group `evenhand.transforms`; constructed without arguments.
    """

    info: ClassVar[TransformInfo]

    def encode(self, text: str) -> str:
        """The rewritten request as it is sent, instructions to decode it included."""
        ...

    def decode(self, text: str) -> str:
        """The request back from what `encode` gave; used to check that the meaning was kept.

        Raises:
            ValueError: The text was not made by this transform, or it says `reversible=False`.
        """
        ...
