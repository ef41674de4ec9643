"""Rows as `Store.frame` gives them, made by hand so that every estimate can be computed on paper."""

from collections.abc import Callable, Mapping, Sequence

import pandas as pd

from audit.estimates.frame import Readings
from audit.estimates.measures import Measure

__all__ = ["COLUMNS", "Fact", "frame", "pairs", "placebos", "readings", "singles", "source"]

Fact = dict[str, object]
Values = Sequence[Sequence[float | None]]
"""One inner sequence a template, one value a repeat; None is a reply that could not be read."""

COLUMNS = (
    "prompt_id",
    "probe",
    "template",
    "domain",
    "language",
    "set_id",
    "arm",
    "placebo",
    "attribute",
    "grp",
    "reference",
    "signal",
    "norm",
    "name",
    "tags",
    "expects",
    "ordered",
    "qualified",
    "output",
    "repeat",
    "value",
    "outcome",
    "analyzer",
    "version",
    "measure",
    "label",
)
_NUMBERS = {"output", "repeat", "value"}
_DEFAULTS: Fact = {
    "probe": "bias/decisions",
    "domain": "lending",
    "language": "en",
    "set_id": None,
    "arm": None,
    "placebo": None,
    "attribute": None,
    "grp": None,
    "reference": None,
    "signal": None,
    "norm": None,
    "name": None,
    "tags": "{}",
    "expects": "choice",
    "ordered": 0,
    "qualified": None,
    "repeat": 0,
    "outcome": "answered",
    "analyzer": "decision",
    "version": "1",
    "measure": "favourable",
}


def frame(facts: Sequence[Mapping[str, object]]) -> pd.DataFrame:
    """The facts as the store would give them; outputs are numbered in order unless they say otherwise."""
    full = [{"output": number, **_DEFAULTS, **fact} for number, fact in enumerate(facts, start=1)]
    for fact in full:
        value = fact.get("value")
        fact["value"] = float("nan") if value is None else float(str(value))
        fact.setdefault("label", "unparsed" if value is None else "yes" if value else "no")
    table = pd.DataFrame(full, columns=list(COLUMNS))
    for column in COLUMNS:
        if column == "repeat":
            table[column] = table[column].astype("int32")
        elif column not in _NUMBERS:
            table[column] = pd.Categorical(table[column].astype(object))
    return table


def readings(facts: Sequence[Mapping[str, object]]) -> Readings:
    """The facts, ready to be cut into measures."""
    return Readings(frame(facts))


def source(facts: Sequence[Mapping[str, object]]) -> Callable[[Measure], pd.DataFrame]:
    """What gives the estimates their rows."""
    return readings(facts).measure


def pairs(group: Values, reference: Values, /, **changed: object) -> list[Fact]:
    """A set a template: its group's replies and its reference group's."""
    return _sets(
        group,
        reference,
        {
            "arm": "counterfactual",
            "attribute": "gender",
            "reference": "men",
            "signal": "explicit",
            "norm": "must_not_differ",
            "arms": ("women", "men"),
            **changed,
        },
    )


def placebos(first: Values, second: Values, /, **changed: object) -> list[Fact]:
    """A placebo set a template: member `b` and member `a`."""
    return _sets(
        first,
        second,
        {"arm": "placebo", "placebo": "resample", "reference": "a", "arms": ("b", "a"), **changed},
    )


def singles(values: Values, **changed: object) -> list[Fact]:
    """A prompt a template, of a probe that compares nobody."""
    domain = str(changed.get("domain", "lending"))
    return [
        {
            "prompt_id": f"{domain}-{template}-{changed.get('tags', '')}",
            "template": f"{domain}-t{template}",
            "repeat": repeat,
            "value": value,
            **changed,
        }
        for template, replies in enumerate(values)
        for repeat, value in enumerate(replies)
    ]


def _sets(group: Values, reference: Values, shape: Fact) -> list[Fact]:
    shape = dict(shape)
    domain = str(shape.get("domain", "lending"))
    arms = shape.pop("arms")
    names = shape.pop("names", None)
    assert isinstance(arms, tuple)
    language = str(shape.get("language", ""))
    # Sets of another reference than the usual one are other sets.
    against = shape.get("reference", "") if shape.get("reference") not in {"men", "a"} else ""
    kind = (
        f"{shape.get('placebo', '')}{shape.get('attribute', '')}{arms[0]}{against}"
        f"{shape.get('signal', '')}{language}"
    )
    found: list[Fact] = []
    for template, members in enumerate(zip(group, reference, strict=True)):
        for arm, (member, replies) in enumerate(zip(arms, members, strict=True)):
            for repeat, value in enumerate(replies):
                fact: Fact = {
                    "prompt_id": f"{domain}-{kind}-{template}-{member}",
                    "template": f"{domain}-t{template}{language}",
                    "set_id": f"{domain}-{kind}-{template}",
                    "grp": member,
                    "repeat": repeat,
                    "value": value,
                    **shape,
                }
                if isinstance(names, Sequence):
                    fact["name"] = names[template][arm]
                found.append(fact)
    return found
