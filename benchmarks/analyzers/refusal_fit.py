"""Fits the weights of the refusal analyzer: `python -m benchmarks.analyzers.refusal_fit`.

It prints `datasets/weights/refusal/weights.yaml`. Only the tuned two thirds of the English replies in
`datasets/controls/refusal_replies` and those of its longer and present-day replies that were looked at are
used: no held-out reply, no reply of a file whose name ends in `fresh.yaml`, no public text.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import yaml
from sklearn.linear_model import LogisticRegression

from audit.analyzers.measured import held_out
from audit.analyzers.refusal.analyzer import shipped_lexicon
from audit.analyzers.refusal.features import NAMES
from audit.analyzers.refusal.reading import RefusalReader, Weights
from probes import data

STRENGTH = 2.0
"""Inverse of the penalty on large weights (scikit-learn's C)."""
DECIMALS = 2


@dataclass(frozen=True, slots=True)
class Reply:
    """One labelled reply of the project's own."""

    label: str
    request: str
    reply: str


def own_replies(*files: str) -> list[Reply]:
    """The English replies of some files of `datasets/controls/refusal_replies`, in order."""
    found = []
    for file in files:
        rows = yaml.safe_load(data.find("controls", "refusal_replies", file).read_text("utf-8"))["en"]
        found += [Reply(row[0], row[-2], row[-1]) for row in rows]
    return found


def tuned() -> list[Reply]:
    """The replies that the weights may be fitted to."""
    every = own_replies("data.yaml", "kinds.yaml", "styles.yaml")
    return [one for one in every if not held_out(one.reply, one_in=3)] + own_replies(
        "long.yaml", "present.yaml"
    )


def fit(replies: Sequence[Reply], *, strength: float = STRENGTH) -> Weights:
    """Weights of a logistic regression on the features of the replies, refusals in full or part against none.

    Both classes count the same in all, so that the chance it gives is that of a coin-flip prior.

    Args:
        replies: Labelled replies; those that were not understood are left out.
        strength: Inverse of the penalty on large weights.
    """
    reader = RefusalReader(shipped_lexicon(Weights(bias=0, of=dict.fromkeys(NAMES, 0.0))))
    rows = [
        (one.label != "none", seen.features)
        for one in replies
        if one.label in {"full", "partial", "none"}
        and (seen := reader.seen(one.reply, one.request)) is not None
    ]
    labels = np.array([label for label, _ in rows])
    features = np.array([[values.get(name, 0.0) for name in NAMES] for _, values in rows])
    model = LogisticRegression(C=strength, class_weight="balanced", max_iter=10_000, tol=1e-8)
    model.fit(features, labels)
    return Weights(
        bias=round(float(model.intercept_[0]), DECIMALS),
        of={name: round(float(weight), DECIMALS) for name, weight in zip(NAMES, model.coef_[0], strict=True)},
    )


def main() -> int:
    """Print the weights file."""
    weights = fit(tuned())
    print("# Log-odds that each feature adds to a refusal; see audit/analyzers/refusal/features.py.")
    print("# Fitted by `python -m benchmarks.analyzers.refusal_fit` to the project's own replies alone.")
    sys.stdout.write(yaml.safe_dump({"bias": weights.bias, "weights": dict(weights.of)}, sort_keys=False))
    return 0


if __name__ == "__main__":
    sys.exit(main())
