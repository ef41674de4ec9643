"""What a tool states that takes every reply as independent: the two-proportion z-test over rows."""

from math import erfc, sqrt

import pandas as pd

from audit.estimates.contrasts import POOLED

__all__ = ["Question", "naive_p_values"]

Question = tuple[str, str, str, str]
"""Domain (`all` if pooled), attribute, signal and group."""


def naive_p_values(rows: pd.DataFrame) -> dict[Question, float]:
    """Two-sided p of every group against its reference, in each domain and over all rows.

    z = (p1 - p2) / sqrt(p (1 - p) (1 / n1 + 1 / n2)) with the pooled rate p. It knows neither pairs nor
    templates, nor that many contrasts are looked at.

    Args:
        rows: The rows of a 0/1 measure (see `audit.estimates.frame.Readings`), `value` nan if missing.
    """
    valued = rows[(rows["arm"] == "counterfactual") & rows["value"].notna()]
    keys = ["attribute", "signal", "reference", "grp"]
    by_domain = valued.groupby(["domain", *keys], observed=True)["value"].agg(["sum", "count"]).reset_index()
    pooled = by_domain.groupby(keys, observed=True)[["sum", "count"]].sum().reset_index()
    counted = pd.concat([by_domain.astype({"domain": object}), pooled.assign(domain=POOLED)])
    found = {
        (str(row["domain"]), str(row["attribute"]), str(row["signal"]), str(row["grp"])): (
            float(row["sum"]),
            float(row["count"]),
            str(row["reference"]),
        )
        for row in counted.to_dict("records")
    }
    return {
        question: _p_value(successes, trials, *found[(*question[:3], reference)][:2])
        for question, (successes, trials, reference) in found.items()
        if question[3] != reference
    }


def _p_value(successes: float, trials: float, reference_successes: float, reference_trials: float) -> float:
    difference = successes / trials - reference_successes / reference_trials
    pooled = (successes + reference_successes) / (trials + reference_trials)
    error = sqrt(pooled * (1 - pooled) * (1 / trials + 1 / reference_trials))
    return erfc(abs(difference) / error / sqrt(2)) if error > 0 else 1.0
