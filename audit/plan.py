"""The plan of a run, as it is kept: which prompts, how many requests, and what the design can see."""

from pydantic import Field

from audit.looks import SequentialRule
from audit.token_estimates import ASSUMED_REPLY_TOKENS
from probes.records import Prompt, Record

__all__ = [
    "ASSUMED_RATE",
    "ASSUMED_SLOPE_SD",
    "POWER",
    "Cell",
    "Detectable",
    "Plan",
    "RaterPlan",
    "hashed_of",
]

POWER = 0.80
ASSUMED_SLOPE_SD = 0.10
"""Standard deviation over templates of the true difference, as a rate, assumed where there is no pilot."""
ASSUMED_RATE = 0.50
"""Rate assumed for the noise of one answer: the one at which it is largest."""


class Cell(Record):
    """Prompts that share probe, domain, attribute, signal, arm and what is expected of a reply."""

    probe: str
    domain: str
    attribute: str | None
    signal: str | None
    arm: str | None
    group: str | None
    technique: str | None
    prompts: int
    templates: int
    expects: str = "choice"
    """Kind of `Expectation`."""
    measures: tuple[str, ...] = ()
    """Measures that groups are compared on first: the main ones of this kind of reply, or else all that the
    run's analyzers read of it; none outside counterfactual sets."""


class Detectable(Record):
    """The smallest disparity that one contrast of the design can see in one measure."""

    probe: str
    domain: str
    attribute: str
    signal: str
    templates: int
    measure: str = "favourable_rate"
    unit: str = "rate"
    smallest_detectable: float | None
    """Difference of rates seen in 4 of 5 runs, under the assumptions below; None in other units, and where
    all repeats of a prompt make one value: how such values vary is not known without a pilot."""
    templates_needed: int | None = None
    """Where no difference of rates is as large as that: templates, asked alike, that see one of the margin of
    concern; None where the design sees something."""
    assumed_slope_sd: float | None = ASSUMED_SLOPE_SD
    assumed_rate: float | None = ASSUMED_RATE


class RaterPlan(Record):
    """What an analyzer will ask of a model."""

    analyzer: str
    model: str
    calls: int
    """Upper bound: equal replies are asked about once."""
    prompt_tokens: int
    """Estimate, from characters, with replies of the assumed length."""
    assumed_reply_tokens: int = ASSUMED_REPLY_TOKENS


class Plan(Record):
    """What a run will ask, fixed before it asks."""

    schema_version: int = 1
    name: str
    seed: int
    spec_sha256: str
    """Of the spec with every default filled in."""
    prompts_sha256: str
    """Of the prompts' ids, expectations and norms, in order."""
    facts_sha256: str | None = None
    """Of what the store holds of the prompts beside their texts, in order; None in plans that were only
    previewed, and in those of old."""
    prompts: int
    repeats: int
    targets: int
    """1, or 2 with a baseline."""
    requests: int
    calls_by_turn: tuple[int, ...] = ()
    """How many of the requests are first turns, second turns and so on; empty where all are first turns."""
    prompt_tokens: int
    """Estimate, from characters, over all requests; before a later turn with replies of an assumed length."""
    raters: tuple[RaterPlan, ...] = ()
    """What analyzers will ask of models, such as a judge."""
    cells: tuple[Cell, ...]
    detectable: tuple[Detectable, ...]
    probe_versions: dict[str, str]
    sources: dict[str, dict[str, str]] = Field(default_factory=dict)
    """For probes that read a file: where it lies, its checksum and licence."""
    versions: dict[str, str]
    """Of the packages that can move a number."""
    sequential: SequentialRule | None = None
    """When the run looks at its answers to stop early; None if everything planned is asked."""


def hashed_of(prompt: Prompt) -> bytes:
    """What of a prompt goes into `Plan.prompts_sha256`.

    Its id covers what is sent; what is expected of the answer decides what the numbers mean. What nobody
    asked for is left out, so that plans of an earlier version keep their hash.
    """
    unsaid = {name for name in ("ordered", "side") if not getattr(prompt.expectation, name)}
    expected = prompt.expectation.model_dump_json(exclude=unsaid)
    return f"{prompt.id}{expected}{prompt.norm}".encode()
