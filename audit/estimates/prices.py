"""Merit-equivalent prices: what a signalled group costs, in the domain's own currency.

Where people of several merits are asked about, a disparity can be said in units of what a decision may
rightly depend on: "this name costs 38 credit points". The price is the gap at equal merit over the slope
on merit, with Fieller's interval over templates.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from audit.errors import NotMeasuredError
from audit.estimates.contrasts import MINIMUM_TEMPLATES, POOLED
from audit.estimates.frame import tag_values
from audit.estimates.measures import Measure, measure_named
from audit.records import Estimate, Verdict
from audit.spec import Judgement
from audit.statistics.fieller import MeritContrasts, MeritPrice, merit_contrasts, merit_price
from audit.statistics.multiplicity import fcr_level
from probes.errors import DataError
from probes.merit import load_ladder

__all__ = ["PRICED", "PRICE_OF", "merit_prices"]

PRICE_OF: Mapping[str, str] = {"favourable_rate": "merit_price", "decision_number": "merit_price_of_number"}
"""Measure to the name of its price."""

PRICED = tuple(PRICE_OF.values())

_BLOCK = ("probe", "language", "domain", "attribute", "signal")
_INDEX = "steps of the merit index"
_WHOLE_INDEX = 2.0
"""A shipped ladder's merit index runs from -1 to +1."""
_CLEAR = 3.0
"""Standard errors that the slope on merit must be, for its price to be stated."""
_FLAT = 0.02
"""Rate this close to 0 or 1 at an end of the ladder counts as flat there."""
_UNBOUNDED = (
    "merit is not shown to raise the outcome clearly enough for a price that allows for the picking of its "
    "disparity"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Currency:
    words: str
    per_index: float
    whole: float | None
    """The ladder from end to end, in the currency; None where it has to be read off the prompts."""


def merit_prices(
    frame_of: Callable[[Measure], pd.DataFrame], disparities: Sequence[Estimate], judgement: Judgement
) -> list[Estimate]:
    """The price of every contrast on a decision, in each domain whose prompts say how merited it is.

    Domains have different currencies, so they are not pooled. A price is refused (`not_measured`) where
    merit is not shown to raise the outcome, by 3 standard errors, since nothing is then its equivalent, and
    where the disparity itself is not measured (too few templates, missing answers, a placebo that differs).

    The price of a disparity that was picked in its family has an interval that allows for that too: what was
    picked came out large, and its price with it.

    Args:
        frame_of: Gives the rows of a measure (see `audit.estimates.frame.Readings`).
        disparities: The disparities of the run, which carry the negative controls.
        judgement: Thresholds declared in the spec; the level is used.

    Returns:
        Estimates of kind `price` in a fixed order; empty if no prompt has the tag `merit_index`.

    Source:
        Intervals of what is picked: Benjamini & Yekutieli (2005), JASA 100:71-81.
    """
    family = _Family.of(disparities)
    found: list[Estimate] = []
    for name in PRICE_OF:
        priced = [one for one in disparities if one.measure == name and one.domain != POOLED]
        if not priced:
            continue
        rows = _with_merit(frame_of(measure_named(name)))
        blocks = rows.groupby(list(_BLOCK), observed=True).indices
        for disparity in priced:
            place = tuple(str(getattr(disparity, key)) for key in _BLOCK)
            block = rows.iloc[blocks.get(place, [])]
            mine = block[block["grp"].isin([disparity.group, disparity.reference_group])]
            if len(mine):
                levels = (judgement.level, family.level(disparity, judgement.level))
                found.append(_of_contrast(mine, disparity, *levels))
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class _Family:
    """The family that the disparities were picked in."""

    tested: int
    picked: int

    @classmethod
    def of(cls, disparities: Sequence[Estimate]) -> "_Family":
        return cls(
            tested=sum(one.weight is not None for one in disparities),
            picked=sum(one.widened for one in disparities),
        )

    def level(self, disparity: Estimate, level: float) -> float | None:
        """Level of an interval that allows for the picking; None where the disparity was not picked."""
        if not disparity.widened or disparity.weight is None:
            return None
        return fcr_level(self.picked, self.tested, 1 - level, weight=disparity.weight)


def _with_merit(frame: pd.DataFrame) -> pd.DataFrame:
    """Rows of counterfactual sets whose prompts say how merited; a tag that is no number says nothing."""
    rows: pd.DataFrame = frame[frame["arm"] == "counterfactual"]
    merit = pd.to_numeric(tag_values(rows["tags"], "merit_index"), errors="coerce")
    known: pd.DataFrame = rows.assign(merit=merit)[np.isfinite(merit.to_numpy(dtype=float))]
    return known


def _of_contrast(
    mine: pd.DataFrame, disparity: Estimate, level: float, picked_level: float | None
) -> Estimate:
    currency = _currency_of(disparity.domain)
    stated = {
        **disparity.model_dump(include=set(_SHARED)),
        "kind": "price",
        "measure": PRICE_OF[disparity.measure],
        "unit": currency.words,
        "level": level,
        "verdict": Verdict.OBSERVED,
        "n_outputs": int(mine["value"].notna().sum()),
        "n_clusters": int(mine["template"].nunique()),
        "method": "none",
    }
    try:
        slopes, price = _priced(mine, disparity, level, currency)
        picked = None if picked_level is None else _priced(mine, disparity, picked_level, currency)[1]
    except NotMeasuredError as error:
        return _refused(stated, (str(error),))
    stated |= {"n_outputs": slopes.n_rows, "n_clusters": price.n_clusters, "method": price.method}
    reasons = _why_refused(price, slopes, disparity)
    if not reasons and picked is not None and picked.kind != "interval":
        reasons = (_UNBOUNDED,)
    if reasons:
        return _refused(stated, reasons)
    whole = float(np.ptp(mine["merit"])) * currency.per_index if currency.whole is None else currency.whole
    measured = {
        "ladder": whole,
        "point": price.point,
        "ci_low": price.low,
        "ci_high": price.high,
        "selected_ci_low": None if picked is None else picked.low,
        "selected_ci_high": None if picked is None else picked.high,
        "noise_floor": None if disparity.noise_floor is None else disparity.noise_floor / price.slope,
        "reasons": (
            _rate_of_exchange(price, disparity, currency),
            *_beyond(picked or price, whole, currency),
            *_flat_ends(mine, disparity),
        ),
    }
    return Estimate.model_validate({**stated, **measured})


_SHARED = (
    "probe",
    "domain",
    "language",
    "attribute",
    "group",
    "reference_group",
    "signal",
    "norm",
    "group_rate",
    "reference_rate",
    "group_outputs",
    "reference_outputs",
    "observation",
)
"""What a price takes over from its disparity."""


def _priced(
    rows: pd.DataFrame, disparity: Estimate, level: float, currency: _Currency
) -> tuple[MeritContrasts, MeritPrice]:
    slopes = merit_contrasts(
        rows["value"].to_numpy(dtype=float),
        rows["merit"].to_numpy(dtype=float) * currency.per_index,
        (rows["grp"] == disparity.group).to_numpy(),
        rows["template"].astype("category").cat.codes.to_numpy(),
    )
    return slopes, merit_price(slopes.gaps, slopes.slopes, level=level, unit=currency.words)


def _why_refused(price: MeritPrice, slopes: MeritContrasts, disparity: Estimate) -> tuple[str, ...]:
    if disparity.verdict is Verdict.NOT_MEASURED:
        return disparity.reasons
    if price.n_clusters < MINIMUM_TEMPLATES:
        return (
            f"{price.n_clusters} templates with two steps of merit; at least {MINIMUM_TEMPLATES} are needed",
        )
    if price.kind != "interval" or price.slope <= 0:
        return ("merit is not shown to raise the outcome, so nothing is its equivalent",)
    error = float(np.std(slopes.slopes, ddof=1)) / price.n_clusters**0.5
    if price.slope < _CLEAR * error:
        # Stating only those prices that happen to be bounded would pick the steep slopes among the flat.
        asked = f"its slope is {price.slope / error:.1f} standard errors, and {_CLEAR:g} are asked"
        return (f"merit is not shown to raise the outcome clearly enough for a price: {asked}",)
    return ()


def _rate_of_exchange(price: MeritPrice, disparity: Estimate, currency: _Currency) -> str:
    slope = price.slope * currency.per_index
    moved = f"{100 * slope:.1f} points" if disparity.unit == "rate" else f"{slope:.3g}"
    step = (
        f"{currency.per_index:g} {currency.words}" if currency.per_index != 1 else "a step of the merit index"
    )
    verb = "goes" if currency.per_index == 1 else "go"
    return f"{step}, with all facts of the text moving together, {verb} with {moved} of the outcome"


def _beyond(price: MeritPrice, whole: float, currency: _Currency) -> Iterator[str]:
    """Beyond the ladder nothing was asked, and a straight line is all that stands for it."""
    ladder = f"the whole ladder of {whole:.3g} {currency.words}"
    drawn_on = "nobody was asked about that far, so a number there is a straight line drawn on"
    if abs(price.point) > whole:
        yield f"the price is more than {ladder}: {drawn_on}"
    elif max(-price.low, price.high) > whole:
        yield f"the interval reaches beyond {ladder}: {drawn_on}"


def _flat_ends(rows: pd.DataFrame, disparity: Estimate) -> Iterator[str]:
    """A straight line through a ladder that is flat at its ends leans too far, and the price too low."""
    if disparity.unit != "rate":
        return
    merit = rows["merit"].to_numpy(dtype=float)
    reference = rows[rows["grp"] == disparity.reference_group]
    low, high = np.quantile(merit, [0.25, 0.75])
    ends = [
        reference.loc[reference["merit"] <= low, "value"].mean(),
        reference.loc[reference["merit"] >= high, "value"].mean(),
    ]
    if any(rate < _FLAT or rate > 1 - _FLAT for rate in ends):
        yield (
            "the outcome is flat at an end of the ladder, where a straight line does not fit: "
            "the price is then understated"
        )


def _refused(stated: Mapping[str, object], reasons: Sequence[str]) -> Estimate:
    unmeasured = {"verdict": Verdict.NOT_MEASURED, "reasons": tuple(reasons)}
    return Estimate.model_validate({**stated, **unmeasured})


def _currency_of(domain: str) -> _Currency:
    try:
        ladder = load_ladder(domain)
    except DataError:
        # A probe of somebody else's has no ladder here; its index is stated as it is.
        return _Currency(words=_INDEX, per_index=1.0, whole=None)
    per_index = ladder.per_index()
    if ladder.currency is None or per_index is None:
        return _Currency(words=_INDEX, per_index=1.0, whole=_WHOLE_INDEX)
    return _Currency(words=ladder.currency.words, per_index=per_index, whole=_WHOLE_INDEX * per_index)
