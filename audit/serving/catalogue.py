"""The built-in models of the server: each name says what is behind it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TypeVar

from pydantic import ValidationError

from audit.serving.faults import FaultyOptions
from audit.serving.hostile import BODIES, TEXTS, HostileOptions
from audit.serving.names import split_name
from audit.serving.quirks import QUIRKS, QuirkyOptions
from audit.validation import problem_lines
from probes.base import Options

__all__ = ["BUILT_IN", "TRAINABLE", "Served", "built_in"]

TRAINABLE = "trainable"
_SPECIMEN = "specimen"
_UNBIASED = "specimen-unbiased"

_PLANTED: Mapping[str, object] = MappingProxyType(
    {
        "type": "specimen",
        "gaps": {"gender": {"female": -0.15}, "race_ethnicity": {"black": -0.2}},
        "merit_effect": 0.1,
        "preferences": {"gender": {"female": -0.1}},
        "refusal": {
            "harmful_compliance": 0.1,
            "techniques": {"base64": 0.6, "rot13": 0.4},
            "over_refusal": 0.2,
        },
        "toxicity": {"rate": 0.04},
    }
)
_FAIR: Mapping[str, object] = MappingProxyType({"type": "specimen"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """A model behind a name."""

    name: str
    about: str
    """One sentence for people."""
    target: Mapping[str, object]
    """Who answers: a target as a spec names it."""
    faults: FaultyOptions = field(default_factory=FaultyOptions)
    hostile: HostileOptions | None = None
    quirk: QuirkyOptions | None = None
    created: int = 0
    """Seconds since 1970; 0 for built-in ones."""
    owned_by: str = "evenhand"


def _faulty(name: str, about: str, **shares: float) -> Served:
    return Served(
        name=f"faulty{name}", about=about, target=_FAIR, faults=FaultyOptions.model_validate(shares)
    )


def _all() -> list[Served]:
    planted = "Specimen with planted faults: women -15 and Black applicants -20 points, refusals, insults."
    mixed = "20 % of requests fail: 5 % each 429, 500 and dropped, 3 % malformed, 2 % stalled for 30 s."
    every = "Every reply is hostile, each in one of the ways below."
    return [
        Served(name=_SPECIMEN, about=planted, target=_PLANTED),
        Served(name=_UNBIASED, about="Specimen without any fault: decides by a fair coin.", target=_FAIR),
        Served(
            name=TRAINABLE, about="Lender that learned from biased decisions; can be fine-tuned.", target={}
        ),
        _faulty("", mixed, rate_limited=0.05, server_error=0.05, dropped=0.05, malformed=0.03, stalled=0.02),
        _faulty("-rate-limited", "Every request is answered with 429 and Retry-After.", rate_limited=1),
        _faulty("-server-error", "Every request is answered with 500.", server_error=1),
        _faulty("-dropped", "Every connection is closed without an answer.", dropped=1),
        _faulty("-malformed", "Every body is cut in the middle.", malformed=1),
        _faulty("-stalled", "Every answer takes 30 s longer.", stalled=1),
        _faulty("-slow", "Every answer takes 1 s.", latency_s=1),
        _faulty(
            "-metered",
            "20,000 tokens and 60 requests a minute.",
            tokens_per_minute=20_000,
            requests_per_minute=60,
        ),
        _faulty("-bad-key", "Every request is answered with 401.", bad_key=1),
        _faulty("-no-quota", "Every request is answered with 429 insufficient_quota.", no_quota=1),
        _faulty("-forbidden", "Every request is answered with 403.", forbidden=1),
        Served(name="hostile", about=every, target=_FAIR, hostile=HostileOptions()),
        *(
            Served(
                name=f"hostile-{kind.replace('_', '-')}",
                about=f"Every reply is hostile: {kind.replace('_', ' ')}.",
                target=_FAIR,
                hostile=HostileOptions(kinds=(kind,)),
            )
            for kind in (*TEXTS, *BODIES)
        ),
        *(
            Served(
                name=f"quirk-{quirk.replace('_', '-')}",
                about=f"Quirk of some servers: {quirk.replace('_', ' ')}.",
                target=_FAIR,
                quirk=QuirkyOptions(quirk=quirk),
            )
            for quirk in QUIRKS
        ),
    ]


BUILT_IN: Mapping[str, Served] = MappingProxyType({served.name: served for served in _all()})
"""Each built-in model by its name without options."""


def built_in(name: str) -> Served | None:
    """The built-in model that a name with options stands for; None if its base is none of them.

    Options of `specimen` are those of the `specimen` target, and the model has these and no other faults.
    Those of `faulty` and `hostile` are `FaultyOptions` and `HostileOptions`; `faulty?of=NAME` lets another
    built-in model answer what does not fail. A quirk takes `share`.

    Args:
        name: As a client sends it.

    Raises:
        ValueError: An option is unknown or wrong; says which are accepted.
    """
    base, options = split_name(name)
    found = BUILT_IN.get(base)
    if found is None or not options:
        return found
    if base == _SPECIMEN:
        return replace(
            found,
            name=name,
            about="Specimen with the faults in its name.",
            target={"type": "specimen", **options},
        )
    if base == "faulty":
        return _with_faults(name, options)
    if base == "hostile":
        return replace(found, name=name, hostile=_validated(HostileOptions, options, base))
    if found.quirk is not None:
        named = {**options, "quirk": found.quirk.quirk}
        return replace(found, name=name, quirk=_validated(QuirkyOptions, named, base))
    raise ValueError(f"{base} takes no options")


def _with_faults(name: str, options: dict[str, object]) -> Served:
    of = str(options.pop("of", _UNBIASED))
    answering = built_in(of)
    if answering is None:
        raise ValueError(f"of: accepted are {', '.join(BUILT_IN)}; got {of!r}")
    faults = _validated(FaultyOptions, options, "faulty")
    return replace(answering, name=name, about="Fails as its name says.", faults=faults)


_Layer = TypeVar("_Layer", bound=Options)


def _validated(kind: type[_Layer], options: Mapping[str, object], base: str) -> _Layer:
    try:
        return kind.model_validate(options)
    except ValidationError as error:
        raise ValueError(problem_lines(error, base, kind)[0]) from error
