"""What an earlier run tells about the variances of the next."""

from collections.abc import Collection, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

import pandas as pd

from audit.audited import TARGET
from audit.errors import InputError, NotMeasuredError
from audit.estimates.contrasts import POOLED
from audit.estimates.measures import Measure
from audit.planned_run import Run
from audit.runs import analyzer_context, build_analyzers, measures_of
from audit.statistics.components import Components, pair_components
from audit.token_estimates import CHARACTERS_A_TOKEN
from probes.records import Record

__all__ = ["Variances", "Varied", "pilot_variances", "reply_tokens"]

_LEAST_TEMPLATES = 2
_PROMPTS_READ = 200
"""Prompts of a pilot whose replies are measured for their length."""


class Variances(Record):
    """Where the error of a comparison comes from."""

    source: str
    """`assumed`, or `pilot` with the measure and the number of templates it is from, or `not known …`."""
    unit: str = "rate"
    """Unit of both deviations."""
    slope_sd: float | None
    """Standard deviation over templates of the true difference; None if it is not known."""
    slope_low: float | None = None
    slope_high: float | None = None
    """Its 95 % interval, where a pilot tells it; of several groups the largest of each end."""
    noise_sd: float | None
    """Standard deviation of the difference of one pair of answers; None if it is not known."""


class Varied(NamedTuple):
    """What a pilot's variances are of."""

    probe: str
    domain: str
    """A domain, or `all` for what is pooled over those of the pilot."""
    attribute: str
    signal: str
    measure: str


def pilot_variances(run: Run, names: Collection[str]) -> dict[Varied, Variances | str]:
    """Variances of measures by attribute and signal; of several groups the largest of each.

    Args:
        run: The pilot.
        names: Names of the measures.

    Returns:
        Variances over the pilot's domains, and of each by itself; where there are answers that tell none, the
        reason in words; no entry where there are no answers of two groups.

    Raises:
        InputError: The pilot tells no variance of any of the measures; the message says why.
    """
    readings = run.readings()
    found: dict[Varied, Variances | str] = {}
    for measure in measures_of(build_analyzers(run.spec, analyzer_context(run.spec, run.root), run.where)):
        # All repeats of a prompt make one value of such a measure, so that another number makes others.
        if measure.name not in names or measure.over_repeats is not None:
            continue
        frame = readings.measure(measure)
        if frame.empty:
            continue
        rows = frame[(frame["arm"] == "counterfactual") & frame["value"].notna()]
        for (probe, attribute, signal), block in rows.groupby(
            ["probe", "attribute", "signal"], observed=True, sort=True
        ):
            domains = [(str(domain), part) for domain, part in block.groupby("domain", observed=True)]
            for domain, part in [(POOLED, block), *domains]:
                known = _largest(part, measure)
                if known is not None:
                    found[Varied(str(probe), domain, str(attribute), str(signal), measure.name)] = known
    if not any(isinstance(one, Variances) for one in found.values()):
        raise _useless(run, [one for one in found.values() if isinstance(one, str)])
    return found


def _useless(run: Run, reasons: Sequence[str]) -> InputError:
    """Why a pilot tells no variance at all."""
    if not reasons:
        return InputError(
            f"{run.folder.path}: as a pilot: has no scored answers of two groups in two templates",
            next_step=(
                f"evenhand resume {run.folder.path} if it is not complete; else plan without --pilot, or "
                "give a pilot with a probe that compares groups and an analyzer that this spec has"
            ),
        )
    return InputError(
        f"{run.folder.path}: as a pilot: {'; '.join(dict.fromkeys(reasons))}",
        next_step="plan without --pilot, or give a pilot of 2 templates or more and repeats: 2 or more",
    )


def _largest(block: pd.DataFrame, measure: Measure) -> Variances | str | None:
    told = list(_of_groups(block))
    known = [one for one in told if isinstance(one, Components)]
    if not known:
        return next((one for one in told if isinstance(one, str)), None)
    return Variances(
        source=f"pilot ({measure.name}, {known[0].n_clusters} templates)",
        unit=measure.unit,
        slope_sd=max(one.slope_sd for one in known),
        slope_low=max(one.slope_low for one in known),
        slope_high=max(one.slope_high for one in known),
        noise_sd=max(one.noise_sd for one in known),
    )


def _of_groups(block: pd.DataFrame) -> Iterator[Components | str]:
    """The components of each group's differences from the reference, or why they cannot be told."""
    reference = str(block["reference"].iloc[0])
    keys = ["domain", "language", "template", "set_id", "repeat"]
    wide = block.pivot_table(index=keys, columns="grp", values="value", observed=True)
    if reference not in wide:
        return
    for group in sorted(set(wide.columns) - {reference}):
        pairs = (wide[group] - wide[reference]).dropna()
        if pairs.empty:
            continue
        facts = pairs.index.to_frame(index=False)
        stratum = (facts["domain"].astype(str) + "/" + facts["language"].astype(str)).astype("category")
        cluster = facts["template"].astype(str).astype("category")
        try:
            known = pair_components(
                pairs.to_numpy(dtype=float), cluster.cat.codes.to_numpy(), stratum.cat.codes.to_numpy()
            )
        except NotMeasuredError:
            yield _untold(cluster.groupby(stratum, observed=True).nunique().max(), len(pairs))
            continue
        if known.slope_sd + known.noise_sd > 0:
            yield known
        else:
            yield f"has only pairs of answers that differ alike ({len(pairs)}), so that no variance shows"


def _untold(templates: int, pairs: int) -> str:
    """Why variances cannot be told apart."""
    if templates < _LEAST_TEMPLATES:
        return "has pairs of answers of 1 template in a domain, so that how templates differ cannot be told"
    return (
        f"has one pair of answers in each template ({pairs} in all), so that how templates differ cannot be "
        "told apart from the noise of one answer"
    )


def reply_tokens(run: Run) -> float | None:
    """Mean length of a reply in tokens, from the pilot's first prompts; None without a reply."""
    with run.store(read_only=True) as store:
        lengths = [
            len(output.text)
            for prompt in islice(store.prompts(), _PROMPTS_READ)
            for _, output in store.outputs(TARGET, prompt.id)
            if output.text
        ]
    return sum(lengths) / len(lengths) / CHARACTERS_A_TOKEN if lengths else None
