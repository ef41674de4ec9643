"""Where collection stops and what tokens cost, as a spec says it."""

import datetime as dt
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

__all__ = ["A_NUMBER", "LIMITED", "GivenPrice", "Limits", "ReachedLimit"]

LIMITED = ("usd", "tokens", "requests", "minutes", "kwh")
"""What a run may be limited in."""


def _no_truth_value(given: object) -> object:
    # Taken for 1 and 0, `yes` would be the largest rate that there is, and `off` the smallest.
    if isinstance(given, bool):
        raise ValueError("must be a number; YAML reads yes, no, on and off as true and false")  # noqa: TRY004 - one line of bad input
    return given


A_NUMBER = BeforeValidator(_no_truth_value)
"""Of a field that holds a number: true and false are none. It stands last, for the sake of the schema."""


class Limits(BaseModel):
    """Where collection stops, resumable."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    usd: Annotated[float, Field(gt=0), A_NUMBER] | None = Field(
        default=None, description="Money, in US dollars."
    )
    tokens: Annotated[int, Field(gt=0), A_NUMBER] | None = Field(
        default=None, description="Tokens, both ways."
    )
    requests: Annotated[int, Field(gt=0), A_NUMBER] | None = Field(default=None, description="Requests sent.")
    minutes: Annotated[float, Field(gt=0), A_NUMBER] | None = Field(
        default=None, description="Wall-clock minutes."
    )
    kwh: Annotated[float, Field(gt=0), A_NUMBER] | None = Field(
        default=None, description="Energy in kWh, by the high end of its estimate."
    )
    error_rate: Annotated[float, Field(gt=0, le=1), A_NUMBER] = Field(
        default=0.2,
        description="Share of errored outputs above which collection stops as incomplete.",
    )

    @property
    def given(self) -> dict[str, float]:
        """The limits there are, by name."""
        return {name: float(value) for name in LIMITED if (value := getattr(self, name)) is not None}


class GivenPrice(BaseModel):
    """What a target's tokens cost, said by the user; it goes before any price table."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    input_per_million: Annotated[float, Field(ge=0), A_NUMBER] = Field(
        description="Price of a million prompt tokens."
    )
    output_per_million: Annotated[float, Field(ge=0), A_NUMBER] = Field(
        description="Price of a million reply tokens."
    )
    currency: Literal["USD"] = Field(default="USD", description="US dollars; nothing is converted.")
    as_of: dt.date = Field(description="Day on which the price was looked up, such as 2026-11-01.")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReachedLimit:
    """Which limit was reached, and by how much of what."""

    name: str
    """As in the spec's `limits`: `usd`, `tokens`, `requests`, `minutes` or `kwh`."""
    limit: float
    used: float
    coming: float = 0.0
    """What the calls in flight will about take."""
    estimated: bool = False

    def __str__(self) -> str:
        """In words."""
        about = "about " if self.estimated else ""
        coming = f", about {self.coming:.3g} on their way" if self.coming else ""
        return f"limits.{self.name}: {self.limit:g} reached ({about}{self.used:.6g} used{coming})"
