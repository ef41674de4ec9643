"""Requests that look the same and have other code points."""

from typing import ClassVar

from probes.base import TransformInfo

__all__ = ["Homoglyph"]

_LATIN = "ABCEHIJKMOPSTXYaceijopsxy"
# Cyrillic letters of the same shape, in the same order; as escapes, so that a reader sees which is which.
_CYRILLIC = (
    "\u0410\u0412\u0421\u0415\u041d\u0406\u0408\u041a\u041c\u041e\u0420\u0405\u0422\u0425\u0423"
    "\u0430\u0441\u0435\u0456\u0458\u043e\u0440\u0455\u0445\u0443"
)
_SWAP = str.maketrans(_LATIN + _CYRILLIC, _CYRILLIC + _LATIN)


class Homoglyph:
    """The request with Latin letters exchanged for Cyrillic ones of the same shape.

    It is sent without an instruction, since a reader sees no change. Cyrillic look-alikes in the
    request become Latin letters, so applying it twice gives the request back. Do not use it for text
    in a Cyrillic alphabet.

    Source:
        Boucher et al. (2022), Bad Characters, arXiv 2106.09898 (homoglyphs).
    """

    info: ClassVar[TransformInfo] = TransformInfo(
        name="homoglyph",
        version="1",
        summary="The request with 25 Latin letters as Cyrillic look-alikes; nothing is lost.",
        source="Boucher, Shumailov, Anderson & Papernot (2022), Bad Characters: Imperceptible NLP Attacks, "
        "arXiv 2106.09898",
        reversible=True,
    )

    def encode(self, text: str) -> str:
        """The request in look-alike letters."""
        return text.translate(_SWAP)

    def decode(self, text: str) -> str:
        """The request, exactly; every text can be decoded, so this never fails."""
        return text.translate(_SWAP)
