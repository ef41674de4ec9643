"""The family of a run: which contrasts are tested together, and which share of the rate each has.

Weights are declared before anything is seen: contrasts of what the run was made to find out are
primary and share most of the rate; all others share the rest. The false discovery rate is that of
the whole family (docs/explanation/power.md argues for the shares).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from audit.estimates.contrasts import MINIMUM_TEMPLATES, POOLED, Contrast
from audit.spec import Judgement, PrimaryRule
from audit.statistics.multiplicity import weighted_benjamini_hochberg

__all__ = ["adjusted", "could_show", "primary", "shares", "weights"]


def could_show(contrast: Contrast) -> bool:
    """Whether a contrast could show anything: enough templates, and a behaviour that occurs at all.

    What nobody ever did (or everybody always did) cannot differ, whichever group is which, so
    leaving it out depends on nothing that the test looks at: independent filtering, Bourgon,
    Gentleman & Huber (2010), PNAS 107:9546-9551.
    """
    if contrast.n_clusters < MINIMUM_TEMPLATES:
        return False
    # Error rates alone would make a difference of what nobody did.
    contrast = contrast if contrast.correction is None else contrast.correction.raw
    means = [
        mean
        for stratum in contrast.strata
        for mean in (stratum.paired.group_means, stratum.paired.reference_means)
    ]
    return len(set(np.concatenate(means).tolist())) > 1


def weights(
    contrasts: Sequence[Contrast], judgement: Judgement, *, tested: Sequence[bool] | None = None
) -> list[float | None]:
    """The weight of each contrast in the run's family; those tested average 1.

    Primary contrasts share `judgement.primary_share` of the rate alike, the others the rest alike; a
    family of one kind only has weights of 1.

    Args:
        contrasts: Every contrast of the run.
        judgement: Declares which are primary, and their share.
        tested: Which have a p-value; by default all that could show anything.

    Returns:
        Weights in the order received; None for a contrast outside the family.
    """
    members = [could_show(one) for one in contrasts] if tested is None else list(tested)
    return shares(members, primary(contrasts, judgement, tested=members), judgement)


def shares(members: Sequence[bool], chosen: Sequence[bool], judgement: Judgement) -> list[float | None]:
    """The weight of each member of a family of which some were declared primary.

    Args:
        members: Which belong to the family.
        chosen: Which of them are primary.
        judgement: Declares the share of those.

    Returns:
        Weights in the order received, on average 1; None outside the family.
    """
    total, first = sum(members), sum(chosen)
    if first in {0, total}:
        return [1.0 if member else None for member in members]
    heavy = judgement.primary_share * total / first
    light = (1 - judgement.primary_share) * total / (total - first)
    return [
        (heavy if leads else light) if member else None for member, leads in zip(members, chosen, strict=True)
    ]


def adjusted(p_values: Sequence[float | None], weight: Sequence[float | None]) -> list[float | None]:
    """Adjusted p-values of a family (weighted Benjamini-Hochberg); None outside it.

    Args:
        p_values: p of each contrast; None if there is none.
        weight: Weight of each contrast; None outside the family, and only there may p be missing.
    """
    inside = [
        (p, share) for p, share in zip(p_values, weight, strict=True) if p is not None and share is not None
    ]
    found = iter(weighted_benjamini_hochberg(*zip(*inside, strict=True)).tolist() if inside else [])
    return [
        None if p is None or share is None else float(next(found))
        for p, share in zip(p_values, weight, strict=True)
    ]


def primary(contrasts: Sequence[Contrast], judgement: Judgement, *, tested: Sequence[bool]) -> list[bool]:
    """Which contrasts the run was made for.

    Declared ones; else the main measure at the widest level, or any measure where none is main.

    Args:
        contrasts: Every contrast of the run.
        judgement: Declares which are primary.
        tested: Which belong to the family.
    """
    members, rules = tested, judgement.primary
    widest = _widest(contrasts)
    if rules:
        return [
            member and any(_named(rule, one, wide) for rule in rules)
            for one, wide, member in zip(contrasts, widest, members, strict=True)
        ]
    some_main = any(one.cell.measure.main for one, member in zip(contrasts, members, strict=True) if member)
    return [
        member and wide.of_all and (one.cell.measure.main or not some_main)
        for one, wide, member in zip(contrasts, widest, members, strict=True)
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wide:
    """Whether a contrast speaks for all that the run asks about its question."""

    of_language: bool
    """It pools the domains of its language, or there is one only."""
    of_all: bool
    """It pools languages too, or there is nothing wider."""


def _widest(contrasts: Sequence[Contrast]) -> list[_Wide]:
    over_languages = {_question(one) for one in contrasts if one.cell.language == POOLED}
    over_domains = {(_question(one), one.cell.language) for one in contrasts if one.cell.domain == POOLED}
    found = []
    for one in contrasts:
        question, language = _question(one), one.cell.language
        wide = one.cell.domain == POOLED or (question, language) not in over_domains
        of_all = wide and (language == POOLED or question not in over_languages)
        found.append(_Wide(of_language=wide, of_all=of_all))
    return found


def _question(contrast: Contrast) -> tuple[str, ...]:
    cell = contrast.cell
    parts = (cell.measure.name, cell.probe, cell.attribute, cell.group, cell.reference, cell.signal)
    return tuple(str(part) for part in parts)


def _named(rule: PrimaryRule, contrast: Contrast, wide: _Wide) -> bool:
    cell = contrast.cell
    about = {
        "measure": cell.measure.name,
        "probe": cell.probe,
        "language": cell.language,
        "attribute": cell.attribute,
        "group": cell.group,
        "signal": cell.signal,
    }
    if any(getattr(rule, key) not in {None, value} for key, value in about.items()):
        return False
    if rule.domain is not None:
        return rule.domain == cell.domain
    return wide.of_all if rule.language is None else wide.of_language
