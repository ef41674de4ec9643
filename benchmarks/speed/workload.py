"""A made-up audit of any size, as the table of scores that statistics starts from."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from probes.seeds import rng

__all__ = ["Design", "readings_table"]

SEED = 7
DOMAINS = ("health", "hiring", "housing", "lending")
ATTRIBUTES = ("age", "disability", "gender", "race_ethnicity", "religion")
GROUPS = 5
"""Groups an attribute, the reference included."""
SIGNALS = ("explicit", "name")
NAMES = 60
"""Names a group, where names signal it."""
PLACEBOS = ("mention", "name_swap", "resample")
GAP = 0.10
"""Planted against the first group of the first attribute."""

Codes = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    """How large the audit is: every attribute, signal and group in every template of every domain."""

    templates: int
    """Templates a domain."""
    sets: int
    """Counterfactual sets a template, attribute and signal."""

    @property
    def comparisons(self) -> int:
        """Group against reference, in each domain and pooled."""
        return len(ATTRIBUTES) * (GROUPS - 1) * len(SIGNALS) * (len(DOMAINS) + 1)

    @property
    def outputs(self) -> int:
        """Rows of the table: one output and one reading each."""
        cells = len(ATTRIBUTES) * len(SIGNALS) * GROUPS + 2 * len(PLACEBOS)
        return len(DOMAINS) * self.templates * self.sets * cells

    @classmethod
    def of_size(cls, outputs: int, *, templates: int = 100) -> "Design":
        """The design of that many templates a domain with about that many outputs."""
        one = cls(templates=templates, sets=1)
        return cls(templates=templates, sets=max(1, round(outputs / one.outputs)))


def readings_table(design: Design) -> pd.DataFrame:
    """The table that `Store.frame` would give after scoring, one favourable-decision reading an output.

    Templates differ on the logit by a standard deviation of 1.5, and in their reaction to a group by 0.5.
    """
    parts = [
        *(_block(design, attribute, signal) for attribute in ATTRIBUTES for signal in SIGNALS),
        *(_block(design, None, placebo) for placebo in PLACEBOS),
    ]
    joined = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    rows = joined["value"].size
    named: dict[str, object] = {
        "prompt_id": _coded(np.arange(rows), [f"p{number}" for number in range(rows)]),
        "probe": _coded(np.zeros(rows), ["bias/decisions"]),
        "template": _coded(joined["template"], [f"t{n:06d}" for n in range(len(DOMAINS) * design.templates)]),
        "domain": _coded(joined["domain"], DOMAINS),
        "language": _coded(np.zeros(rows), ["en"]),
        "set_id": _dense(joined["set_id"]),
        "arm": _coded(joined["arm"], ["counterfactual", "placebo"]),
        "placebo": _coded(joined["placebo"], PLACEBOS),
        "attribute": _coded(joined["attribute"], ATTRIBUTES),
        "grp": _coded(joined["group"], ["a", "b", *(f"g{n}" for n in range(GROUPS))]),
        "reference": _coded(joined["reference"], ["a", "g0"]),
        "signal": _coded(joined["signal"], SIGNALS),
        "norm": _coded(np.where(joined["arm"] == 0, 0, -1), ["must_not_differ"]),
        "name": _coded(joined["name"], [f"n{number:04d}" for number in range(GROUPS * NAMES)]),
        "tags": _coded(np.zeros(rows), ["{}"]),
        "expects": _coded(np.zeros(rows), ["choice"]),
        "qualified": pd.Categorical.from_codes(
            joined["qualified"], categories=pd.Index([0, 1], dtype=object)
        ),
        "output": np.arange(rows),
        "repeat": np.zeros(rows, dtype=np.int32),
        "ordered": pd.Categorical.from_codes(
            np.zeros(rows, dtype=np.int8), categories=pd.Index([0], dtype=object)
        ),
        "value": joined["value"],
        "outcome": _coded(np.zeros(rows), ["answered"]),
        "analyzer": _coded(np.zeros(rows), ["decision"]),
        "version": _coded(np.zeros(rows), ["1"]),
        "measure": _coded(np.zeros(rows), ["favourable"]),
        "label": _coded(joined["value"], ["adverse", "favourable"]),
    }
    return pd.DataFrame(named)


def _block(design: Design, attribute: str | None, label: str) -> dict[str, npt.NDArray[np.generic]]:
    """One attribute and signal, or one placebo: every group in every set of every template."""
    draw = rng(SEED, "workload", attribute or "placebo", label)
    groups = GROUPS if attribute is not None else 2
    shape = (len(DOMAINS) * design.templates, design.sets, groups)
    template, number, group = (axis.ravel() for axis in np.indices(shape, dtype=np.int32))
    base = draw.normal(0, 1.5, size=(shape[0], 1, 1))
    slope = draw.normal(0, 0.5, size=(shape[0], 1, groups)) if attribute is not None else 0.0
    rate = 1 / (1 + np.exp(-(base + slope)))
    if attribute == ATTRIBUTES[0]:
        rate[:, :, 1] -= GAP * rate[:, :, 1]
    favourable = draw.random(shape) < rate
    block = ATTRIBUTES.index(attribute) * len(SIGNALS) + SIGNALS.index(label) if attribute else None
    offset = (block if block is not None else 100 + PLACEBOS.index(label)) * shape[0] * design.sets
    name = group * NAMES + draw.integers(0, NAMES, group.size)
    return {
        "template": template,
        "domain": template // design.templates,
        "set_id": (offset + template.astype(np.int64) * design.sets + number),
        "arm": np.full(group.size, 0 if attribute else 1, dtype=np.int32),
        "placebo": np.full(group.size, -1 if attribute else PLACEBOS.index(label), dtype=np.int32),
        "attribute": np.full(group.size, ATTRIBUTES.index(attribute) if attribute else -1, dtype=np.int32),
        "group": group + 2 if attribute else group,
        "reference": np.full(group.size, 1 if attribute else 0, dtype=np.int32),
        "signal": np.full(group.size, SIGNALS.index(label) if attribute else -1, dtype=np.int32),
        "name": name if attribute and label == "name" else np.full(group.size, -1, dtype=np.int32),
        "qualified": np.broadcast_to(draw.integers(0, 2, (*shape[:2], 1)), shape).ravel(),
        "value": favourable.ravel().astype(np.float64),
    }


def _coded(codes: npt.ArrayLike, categories: "list[str] | tuple[str, ...]") -> pd.Categorical:
    return pd.Categorical.from_codes(
        np.asarray(codes, dtype=np.int32), categories=pd.Index(list(categories), dtype=object)
    )


def _dense(codes: npt.NDArray[np.generic]) -> pd.Categorical:
    kept, position = np.unique(codes, return_inverse=True)
    return _coded(position, [f"s{number:08d}" for number in range(kept.size)])
