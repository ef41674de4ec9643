"""What retraining files are made of: examples, where each came from, and what was written."""

import hashlib
import json
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator

from probes.base import Options
from probes.records import Expectation, Message, Norm, Record, Signal

__all__ = [
    "DEFAULT_FORMATS",
    "HELD_OUT_KEYS",
    "Companion",
    "Example",
    "Format",
    "GateResult",
    "Ingredient",
    "Kind",
    "Manifest",
    "Origin",
    "RetrainingFile",
    "RetrainingFiles",
    "RetrainingOptions",
    "Shape",
    "SourceKind",
    "Split",
    "text_sha256",
]

Split = Literal["train", "validation"]


class Format(StrEnum):
    """Whose files are written."""

    TRL_DPO = "trl-dpo"
    TRL_SFT = "trl-sft"
    TRL_KTO = "trl-kto"
    AXOLOTL = "axolotl"
    LLAMA_FACTORY = "llama-factory"
    OPENAI_SFT = "openai-sft"
    OPENAI_DPO = "openai-dpo"
    TOGETHER = "together"
    HF = "hf"


class Shape(StrEnum):
    """What one row of a file teaches."""

    SFT = "sft"
    """A prompt and the answer to give."""
    DPO = "dpo"
    """A prompt, the answer to prefer and the one to reject."""
    KTO = "kto"
    """A prompt, one answer, and whether it is a desirable one."""


class Kind(StrEnum):
    """What an example is for."""

    COUNTERFACTUAL = "counterfactual"
    """A member of a set whose members all get the same answer."""
    REFUSAL = "refusal"
    """A harmful request, refused."""
    HELP = "help"
    """A harmless request that looks harmful, answered."""
    CORRECTION = "correction"
    """A request that takes something wrong for granted, answered by saying so."""
    REPLAY = "replay"
    """An ordinary request, of the same domain and naming no group, or the user's own: keeps what worked."""


class SourceKind(StrEnum):
    """Where the preferred answer comes from, best first."""

    REVIEWER = "reviewer"
    OWN_ANSWER = "own_answer"
    """What the audited model itself says where no group is named."""
    GROUND_TRUTH = "ground_truth"
    """The answer of a rule that is blind to the protected attribute."""
    SHIPPED_ANSWER = "shipped_answer"
    """An answer written by hand beside the request."""
    REFUSAL_TEMPLATE = "refusal_template"
    USER_ROW = "user_row"
    """The answer of a row of the user's own, as it stands there."""


DEFAULT_FORMATS = (Format.TRL_DPO, Format.TRL_SFT, Format.OPENAI_DPO, Format.OPENAI_SFT)
"""What is written unless somebody asks for other formats."""


HELD_OUT_KEYS = ("attribute", "group", "domain", "template", "name", "technique")
"""Of what values can be held out."""


class RetrainingOptions(Options):
    """How many examples to write, and how."""

    max_examples: Annotated[int, Field(ge=10, le=1_000_000)] = 500
    """Upper bound of the examples, replay and validation included."""
    validation_share: Annotated[float, Field(ge=0, le=0.5)] = 0.1
    """Share of the templates (not rows) whose examples are held out of training."""
    replay_share: Annotated[float, Field(ge=0, le=0.9)] = 0.1
    """Share of ordinary requests: among the examples of decision findings, or of all with `replay`."""
    replay: Path | None = None
    """JSONL file of the user's own ordinary dialogues, taken instead of shipped ones; None: shipped ones."""
    replay_licence: Annotated[str, Field(min_length=1, max_length=200)] = "not stated"
    """Licence of those rows, for card and sidecars."""
    contrast_share: Annotated[float, Field(ge=0, le=0.9)] = 0.5
    """Share of look-alikes, to be treated the other way, among the examples of safety findings."""
    holdout: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Values that no example may touch, by key out of `HELD_OUT_KEYS`."""
    rewrites: tuple[str, ...] = ()
    """Transforms by name: every request that is to be refused or answered is there under each of them too."""
    strategies: tuple[str, ...] = ()
    """Which strategies may answer; none means all that are installed."""
    only_reviewed: Path | None = None
    """JSONL file of people's labels; what nobody approved is left out. None: nobody has to."""
    formats: Annotated[tuple[Format, ...], Field(min_length=1)] = DEFAULT_FORMATS
    seed: int = 0

    @field_validator("holdout")
    @classmethod
    def _known_keys(cls, value: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        if unknown := sorted(set(value) - set(HELD_OUT_KEYS)):
            raise ValueError(f"unknown key {unknown[0]}; accepted: {', '.join(HELD_OUT_KEYS)}")
        return value


class Origin(Record):
    """Where one example came from."""

    findings: tuple[str, ...]
    """Ids of the findings that it answers."""
    kind: Kind
    strategy: str
    """Name of the strategy that made it."""
    strategy_version: str
    probe: str
    probe_version: str
    template: str
    domain: str
    attribute: str | None = None
    group: str | None = None
    signal: Signal | None = None
    norm: Norm | None = None
    name: str | None = None
    set_id: str | None = None
    set_size: int | None = None
    """How many members the counterfactual set has."""
    merit: str | None = None
    source: SourceKind
    teacher: str | None = None
    """Model that wrote the answer; None: no model did."""
    reviewer: str | None = None
    technique: str | None = None
    """Transform that the request was put through; None: the request as it is."""
    seed: int
    licence: str
    split: Split = "train"


class Example(Record):
    """One prompt with the answer to learn, and the answer to unlearn if there is one."""

    id: str
    """First 20 hexadecimal digits of the SHA-256 of prompt, answer and rejected answer."""
    messages: Annotated[tuple[Message, ...], Field(min_length=1)]
    """The prompt."""
    answer: Annotated[str, Field(min_length=1)]
    rejected: str | None = None
    expectation: Expectation
    """What the probe expects; the gates check the answers against it."""
    origin: Origin

    @classmethod
    def make(
        cls,
        messages: tuple[Message, ...],
        *,
        answer: str,
        rejected: str | None,
        expectation: Expectation,
        origin: Origin,
    ) -> Self:
        """An example whose id is computed from its content."""
        content = [[[m.role, m.content] for m in messages], answer, rejected]
        digest = text_sha256(json.dumps(content, ensure_ascii=False))
        return cls(
            id=digest[:20],
            messages=messages,
            answer=answer,
            rejected=rejected,
            expectation=expectation,
            origin=origin,
        )


class GateResult(Record):
    """What one gate let through."""

    gate: str
    rule: str
    """What is refused, in words."""
    checked: int
    passed: int
    refused: int
    refused_rows: tuple[str, ...] = ()
    """Ids of the refused examples, each with its reason."""


class RetrainingFile(Record):
    """One file that was written, and its sidecar."""

    format: Format
    shape: Shape
    split: Split
    path: str
    """Relative to the folder."""
    rows: int
    sha256: str
    provenance: str
    """Sidecar with one line a row, relative to the folder."""
    provenance_sha256: str


class Companion(Record):
    """A file that a format wants beside its rows, such as LLaMA-Factory's `dataset_info.json`."""

    format: Format
    path: str
    """Relative to the folder."""
    sha256: str


class Ingredient(Record):
    """A file of the user's that examples were taken from."""

    file: str
    """Its name, without the folder."""
    sha256: str


class Manifest(Record):
    """What `retraining.json` says of a folder of retraining files."""

    schema_version: Literal[2] = 2
    seed: int
    strategies: tuple[str, ...] = ()
    """Strategies that made examples, with their versions."""
    held_out: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Values that no example touches, by key."""
    seen: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """What the examples touch: values by key, for telling seen from unseen in a comparison."""
    findings: tuple[str, ...]
    """Findings that examples were made for."""
    left_out: tuple[str, ...] = ()
    """Findings that no example was made for, each with the reason, and own answers that were not taken."""
    replay: Ingredient | None = None
    """The user's file of ordinary rows; None: there is none."""
    kinds: dict[str, int]
    """Examples of each kind, all splits."""
    gates: tuple[GateResult, ...]
    files: tuple[RetrainingFile, ...]
    companions: tuple[Companion, ...] = ()
    not_written: tuple[str, ...] = ()
    """Formats that were asked for and not written, each with the reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetrainingFiles:
    """A folder of retraining files and what it says of itself."""

    folder: Path
    manifest: Manifest

    def find(
        self, file_format: Format, split: Split = "train", *, shape: Shape | None = None
    ) -> RetrainingFile | None:
        """The file of one format and split; None if none was written.

        Args:
            file_format: Format of the file.
            split: Its split.
            shape: Its shape; None: the first one that the format has.
        """
        for file in self.manifest.files:
            if file.format == file_format and file.split == split and shape in (None, file.shape):
                return file
        return None


def text_sha256(text: str) -> str:
    """SHA-256 of a text in UTF-8, hexadecimal."""
    return hashlib.sha256(text.encode("utf-8")).hexdigest()
