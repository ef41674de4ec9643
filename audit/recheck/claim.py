"""What a published claim says, which file it rests on, and how that file is read: a claim file, in YAML."""

import hashlib
import re
from pathlib import Path, PurePosixPath
from typing import Annotated, Literal, Self

from pydantic import Field, ValidationError, field_validator, model_validator

from audit.errors import InputError, SpecError
from audit.strict_yaml import parse_mapping
from audit.validation import problem_lines
from probes.data import data_root
from probes.records import Record

__all__ = ["STATISTICS", "Claim", "Columns", "LoadedClaim", "ReleasedFile", "load_claim", "shipped_claims"]

STATISTICS = (
    "rate",
    "mean",
    "accuracy",
    "kappa",
    "difference",
    "ratio",
    "flip_rate",
    "bbq_accuracy_ambiguous",
    "bbq_accuracy_disambiguated",
    "bbq_bias_score_ambiguous",
    "bbq_bias_score_disambiguated",
)
"""Every statistic that a claim may be about."""

_NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?")
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")
_KIND, _FILE = "claims", "claim.yaml"
_LABELLED = frozenset({"accuracy", "kappa"})
_GROUPED = frozenset({"difference", "ratio"})
_LARGEST = 1e15
"""Size from which a figure's digits are no longer all kept by the arithmetic."""
_NEUTRAL = {"difference": 0.0, "ratio": 1.0, "kappa": 0.0}

Text = Annotated[str, Field(min_length=1)]
Cell = str | int | float | bool


class ReleasedFile(Record):
    """The released outputs; the file itself is had by the user."""

    path: Text
    """Where the file lies, relative to the folder given by `--data`."""
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")] | None = None
    """Checksum of the very file the claim is about; another file is then refused."""
    source: str | None = None
    """Where it was released: repository, commit and path, or address."""
    licence: str | None = None

    @field_validator("path")
    @classmethod
    def _stays_inside(cls, path: str) -> str:
        parts = PurePosixPath(path.replace("\\", "/"))
        if parts.is_absolute() or ".." in parts.parts:
            raise ValueError("must be a path below the data folder, without ..")
        return path


class Columns(Record):
    """Names of the columns that a statistic reads."""

    outcome: Text | None = None
    """What happened; for BBQ the model's prediction."""
    label: Text | None = None
    """What the outcome is compared with (`accuracy`, `kappa`)."""
    group: Text | None = None
    """Which group the row is about (`difference`, `ratio`)."""
    set: Text | None = None
    """Which rows are one counterfactual set (`flip_rate`)."""
    cluster: Text | None = None
    """Which rows share a template; None if rows are independent. BBQ brings its own."""


class Claim(Record):
    """A published figure with everything that is needed to have it again from released outputs."""

    version: Literal[1]
    name: Text
    claim: Text
    """What is claimed, in words."""
    published: Text
    """The figure with the digits that were printed, such as "14.3": they say how near is near enough."""
    basis: Literal["printed", "derived"] = "printed"
    """`printed`: the figure stands in the source. `derived`: it follows from its formula and release."""
    source: Text
    """Paper or page, with where in it."""
    url: str | None = None
    file: ReleasedFile
    statistic: Text
    columns: Columns = Columns()
    positive: tuple[Cell, ...] = ()
    """Values of the outcome that count as 1; without them the outcome is read as a number."""
    groups: tuple[Cell, Cell] | None = None
    """The two groups: first minus second, or first over second."""
    where: dict[Text, tuple[Cell, ...]] = Field(default_factory=dict)
    """Only rows whose column has one of these values."""
    neutral: Annotated[float, Field(gt=-_LARGEST, lt=_LARGEST)] | None = None
    """What the figure must be told apart from; 0 of a difference, 1 of a ratio, 0 of a BBQ bias score."""
    scale: Annotated[float, Field(ge=1e-6, le=1e6)] = 1.0
    """What the statistic is multiplied by before it is compared with the figure: 100 for percentages."""
    level: Annotated[float, Field(gt=0, lt=1)] = 0.95
    seed: int = 7
    resamples: Annotated[int, Field(ge=200, le=100_000)] = 2_000
    cannot_show: tuple[Text, ...] = ()
    """What the figure does not show even if it stands."""

    @field_validator("published", mode="before")
    @classmethod
    def _is_quoted(cls, published: object) -> object:
        if isinstance(published, int | float):
            raise ValueError(f'quote it, so that its digits are known: published: "{published}"')  # noqa: TRY004 - one line of bad input
        return published

    @field_validator("published")
    @classmethod
    def _is_a_number(cls, published: str) -> str:
        if not _NUMBER.fullmatch(published):
            raise ValueError('must be a number in quotes, as printed, such as "14.3" or "-0.20"')
        if not abs(float(published)) < _LARGEST:
            raise ValueError(f"must lie between -{_LARGEST:g} and {_LARGEST:g}")
        return published

    @model_validator(mode="after")
    def _is_complete(self) -> Self:
        if self.statistic not in STATISTICS:
            raise ValueError(f"statistic must be one of {', '.join(STATISTICS)}; it is {self.statistic!r}")
        wanted = {"outcome": True}
        wanted |= {"label": self.statistic in _LABELLED, "group": self.statistic in _GROUPED}
        wanted |= {"set": self.statistic == "flip_rate"}
        for column, needed in wanted.items():
            if needed != (getattr(self.columns, column) is not None):
                verb = "needs" if needed else "does not read"
                raise ValueError(f"statistic {self.statistic} {verb} columns.{column}")
        if (self.groups is not None) != (self.statistic in _GROUPED):
            verb = "needs" if self.statistic in _GROUPED else "does not read"
            raise ValueError(f"statistic {self.statistic} {verb} groups")
        self._check_values()
        return self

    def _check_values(self) -> None:
        if self.is_bbq and (self.where or self.positive or self.columns.cluster):
            raise ValueError("a BBQ statistic does not read where, positive or columns.cluster")
        if self.statistic in {"rate", "kappa"} and not self.positive:
            raise ValueError(f"statistic {self.statistic} needs positive: which outcomes count as 1")
        if self.statistic in {"mean", "accuracy", "flip_rate"} and self.positive:
            raise ValueError(f"statistic {self.statistic} does not read positive")
        if self.groups is not None and self.groups[0] == self.groups[1]:
            raise ValueError(f"groups must be two different values; got {self.groups[0]!r} twice")

    @property
    def is_bbq(self) -> bool:
        """Whether the file is in BBQ's format, which says by itself what is asked and what is right."""
        return self.statistic.startswith("bbq_")

    @property
    def null(self) -> float | None:
        """The value that means no effect, on the published scale; None if the figure only describes."""
        if self.neutral is not None:
            return self.neutral
        if self.statistic.startswith("bbq_bias_score"):
            return 0.0
        known = _NEUTRAL.get(self.statistic)
        return None if known is None else known * self.scale

    @property
    def figure(self) -> float:
        """The published figure as a number."""
        return float(self.published)

    @property
    def rounding(self) -> float:
        """Half a unit of the last digit printed."""
        digits = len(self.published.partition(".")[2])
        return 0.5 * 10.0**-digits


class LoadedClaim(Record):
    """A claim with the checksum of the file it was read from."""

    claim: Claim
    sha256: str


def shipped_claims() -> list[str]:
    """Names of the claims that are shipped, sorted."""
    return sorted(path.parent.name for path in (data_root() / _KIND).glob(f"*/{_FILE}"))


def load_claim(given: str) -> LoadedClaim:
    """A claim by the path of its file, or by the name of a shipped one.

    Args:
        given: A path, or one of `shipped_claims()`.

    Raises:
        InputError: There is no such file or name, or its content is not accepted; one line a problem.
    """
    path = Path(given)
    if not path.is_file():
        path = data_root() / _KIND / given / _FILE
        if not (_NAME.fullmatch(given) and path.is_file()):
            names = ", ".join(shipped_claims())
            raise InputError(f"{given}: no such file, and no shipped claim of this name; shipped: {names}")
    content = path.read_bytes()
    try:
        loaded = parse_mapping(content.decode("utf-8-sig"), given)
    except UnicodeDecodeError as error:
        raise InputError(f"{given}: is not UTF-8 text: {error.reason} at byte {error.start}") from error
    except SpecError as error:
        raise InputError(str(error)) from error
    try:
        claim = Claim.model_validate(loaded)
    except ValidationError as error:
        raise InputError("\n".join(problem_lines(error, given, Claim))) from error
    return LoadedClaim(claim=claim, sha256=hashlib.sha256(content).hexdigest())
