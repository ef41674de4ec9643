"""What an earlier run tells about the variances of the next."""

from collections.abc import Iterator, Sequence
from itertools import islice

import pandas as pd

from audit.errors import InputError, NotMeasuredError
from audit.estimates.measures import Measure
from audit.plan import CHARACTERS_A_TOKEN
from audit.runs import TARGET, Run, analyzer_context, build_analyzers, measures_of
from audit.statistics.components import pair_components
from probes.records import Record

__all__ = ["Variances", "pilot_variances", "reply_tokens"]

_PROMPTS_READ = 200
"""Prompts of a pilot whose replies are measured for their length."""


class Variances(Record):
    """Where the error of a comparison comes from."""

    source: str
    """`assumed`, or `pilot` with the measure, group and number of templates it is from."""
    slope_sd: float
    """Standard deviation over templates of the true difference."""
    noise_sd: float
    """Standard deviation of the difference of one pair of answers."""


def pilot_variances(run: Run) -> dict[tuple[str, str, str], Variances]:
    """Variances of the main measure of each attribute and signal; of several groups the largest of each."""
    readings = run.readings()
    found: dict[tuple[str, str, str], Variances] = {}
    for measure in _measures(run):
        frame = readings.measure(measure)
        if frame.empty:
            continue
        rows = frame[(frame["arm"] == "counterfactual") & frame["value"].notna()]
        keys = ["probe", "attribute", "signal"]
        for (probe, attribute, signal), block in rows.groupby(keys, observed=True, sort=True):
            known = list(_of_groups(block, measure))
            if known:
                found.setdefault(
                    (str(probe), str(attribute), str(signal)),
                    Variances(
                        source=f"pilot ({measure.name}, {known[0][2]} templates)",
                        slope_sd=max(slope for slope, _, _ in known),
                        noise_sd=max(noise for _, noise, _ in known),
                    ),
                )
    if not found:
        raise InputError(
            f"{run.folder.path}: as a pilot: has no scored answers of two groups in two templates",
            next_step=f"evenhand score {run.folder.path}",
        )
    return found


def _measures(run: Run) -> Sequence[Measure]:
    """The measures of a run, the main ones first."""
    known = measures_of(build_analyzers(run.spec, analyzer_context(run.spec, run.root), run.where))
    rates = [one for one in known if one.compare_groups and one.unit == "rate" and one.analyzer is not None]
    return sorted(rates, key=lambda one: not one.main)


def _of_groups(block: pd.DataFrame, measure: Measure) -> Iterator[tuple[float, float, int]]:
    reference = str(block["reference"].iloc[0])
    keys = ["domain", "language", "template", "set_id", "repeat"]
    wide = block.pivot_table(index=keys, columns="grp", values="value", observed=True)
    if reference not in wide or measure.unit != "rate":
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
            continue
        if known.slope_sd + known.noise_sd > 0:
            yield known.slope_sd, known.noise_sd, known.n_clusters


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
