"""From replies to pairs: what each reply to a group has in common with the one to the reference group.

A frame of pairs has one row a set and member that is not the reference, with the facts of the set
(`probe`, `language`, `domain`, `template`, `set_id`, `arm`, `placebo`, `attribute`, `signal`, `norm`,
`grp`, `reference`) and one column a measure, averaged over repeats.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from audit.statistics.arguments import Vector
from audit.statistics.sentiment_bias import sentiment_bias_strong, sentiment_bias_weak
from audit.statistics.text_similarity import bleu, rouge_l, weighted_cosine, word_weights

__all__ = ["SENTIMENT", "SIMILARITY", "sentiment_pairs", "similarity_pairs"]

Replies = Callable[[], Iterable[Sequence[tuple[int, str]]]]
"""Gives batches of output numbers and texts; asked twice."""

SIMILARITY = (
    "counterfactual_cosine_similarity",
    "counterfactual_rouge_l_similarity",
    "counterfactual_bleu_similarity",
)
SENTIMENT = ("counterfactual_sentiment_bias_strong", "counterfactual_sentiment_bias_weak")

_FACTS = [
    "probe",
    "language",
    "domain",
    "template",
    "set_id",
    "arm",
    "placebo",
    "attribute",
    "signal",
    "norm",
    "grp",
    "reference",
]
_AT_ONCE = 4_096
"""Pairs whose texts are compared together."""


def sentiment_pairs(frame: pd.DataFrame) -> pd.DataFrame:
    """How far apart the sentiment of the replies to each member of a set lies from the reference's.

    Args:
        frame: Rows of the sentiment reading in [-1, 1] (see `audit.estimates.frame.Readings`); a reply
            without one takes no part.

    Returns:
        A frame of pairs with the columns of `SENTIMENT`; scores are taken to [0, 1] first.
    """
    rows = frame[frame["set_id"].notna() & frame["value"].notna()]
    arms = _arms(rows)
    facts = _facts(rows)
    sides = [
        (arms[set_id, group], arms[set_id, reference]) if (set_id, reference) in arms else None
        for set_id, group, reference in _keys(facts)
    ]
    kept = [side for side in sides if side is not None]
    facts = facts[np.array([side is not None for side in sides], dtype=np.bool_)]
    first, second = [side[0] for side in kept], [side[1] for side in kept]
    measured = (sentiment_bias_strong(first, second), sentiment_bias_weak(first, second))
    return facts.assign(**dict(zip(SENTIMENT, measured, strict=True)))


def _arms(rows: pd.DataFrame) -> dict[tuple[str, str], Vector]:
    """Scores of each member of each set, taken from [-1, 1] to [0, 1]; one sort, no search."""
    sets, groups = rows["set_id"].astype("category"), rows["grp"].astype("category")
    n_groups = max(len(groups.cat.categories), 1)
    keys = sets.cat.codes.to_numpy(dtype=np.int64) * n_groups + groups.cat.codes.to_numpy(dtype=np.int64)
    order = np.argsort(keys, kind="stable")
    found, starts = np.unique(keys[order], return_index=True)
    scores = (1 + rows["value"].to_numpy(dtype=np.float64)[order]) / 2
    return {
        (str(sets.cat.categories[key // n_groups]), str(groups.cat.categories[key % n_groups])): block
        for key, block in zip(found.tolist(), np.split(scores, starts[1:]), strict=False)
    }


def similarity_pairs(outputs: pd.DataFrame, replies: Replies) -> pd.DataFrame:
    """How alike the texts of each pair are: cosine of TF-IDF vectors, ROUGE-L and BLEU.

    Repeat r of a member is compared with repeat r of the reference. Texts are read in batches and held only
    until their set is complete; the weights of words come from all replies, by a first reading.

    Args:
        outputs: One row an output (see `audit.estimates.frame.Readings.outputs`), indexed by its number.
        replies: Gives the texts, members of a set near each other.

    Returns:
        A frame of pairs with the columns of `SIMILARITY`.
    """
    rows = outputs[outputs["set_id"].notna()]
    weights = word_weights([text for _, text in batch] for batch in replies())
    groups = rows["grp"].astype(str).to_numpy()
    columns: list[tuple[Vector, Vector, Vector]] = []
    found: list[tuple[str, str]] = []
    for chunk in _chunks(_pairs(rows, groups, replies)):
        first, second = [pair.text for pair in chunk], [pair.other for pair in chunk]
        found.extend((pair.set_id, pair.group) for pair in chunk)
        columns.append((weighted_cosine(first, second, weights), rouge_l(first, second), bleu(first, second)))
    facts = _facts(rows)
    if not columns:
        return facts.iloc[:0].assign(**dict.fromkeys(SIMILARITY, np.nan))
    values = pd.DataFrame(
        {name: np.concatenate([one[place] for one in columns]) for place, name in enumerate(SIMILARITY)}
    )
    means = values.groupby(pd.MultiIndex.from_tuples(found)).mean()
    place = pd.MultiIndex.from_arrays([facts["set_id"].astype(str), facts["grp"].astype(str)])
    stated = means.reindex(place)
    return facts.assign(**{name: stated[name].to_numpy() for name in SIMILARITY})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pair:
    set_id: str
    group: str
    text: str
    other: str


def _pairs(
    rows: pd.DataFrame, groups: "np.ndarray[tuple[int], np.dtype[np.object_]]", replies: Replies
) -> Iterator[_Pair]:
    """Pairs of texts as their sets become complete; what stays incomplete at the end had no counterpart."""
    answered = rows[rows["outcome"] == "answered"]
    place = {int(output): at for at, output in enumerate(rows["output"])}
    waiting = answered["set_id"].astype(str).value_counts().to_dict()
    sets, repeats = rows["set_id"].astype(str).to_numpy(), rows["repeat"].to_numpy()
    references = rows["reference"].astype(str).to_numpy()
    held: dict[str, list[tuple[str, int, str]]] = {}
    against: dict[str, str] = {}
    for batch in replies():
        for output, text in batch:
            at = place.get(output)
            if at is None:
                continue
            set_id = str(sets[at])
            against[set_id] = str(references[at])
            held.setdefault(set_id, []).append((str(groups[at]), int(repeats[at]), text))
            if len(held[set_id]) == waiting[set_id]:
                yield from _of_set(held.pop(set_id), set_id, against.pop(set_id))
    # Sets of which the source gives fewer replies than the table has rows.
    for set_id in sorted(held):
        yield from _of_set(held[set_id], set_id, against[set_id])


def _of_set(members: Sequence[tuple[str, int, str]], set_id: str, reference: str) -> Iterator[_Pair]:
    against = {repeat: text for group, repeat, text in members if group == reference}
    for group, repeat, text in members:
        if group != reference and repeat in against:
            yield _Pair(set_id=set_id, group=group, text=text, other=against[repeat])


def _chunks(pairs: Iterable[_Pair]) -> Iterator[list[_Pair]]:
    chunk: list[_Pair] = []
    for pair in pairs:
        chunk.append(pair)
        if len(chunk) == _AT_ONCE:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _facts(rows: pd.DataFrame) -> pd.DataFrame:
    """One row a set and member that is not its reference."""
    members: pd.DataFrame = rows.loc[rows["grp"].astype(str) != rows["reference"].astype(str), _FACTS]
    return members[~members.duplicated(["set_id", "grp"])].reset_index(drop=True)


def _keys(facts: pd.DataFrame) -> Iterator[tuple[str, str, str]]:
    columns = [facts[name].astype(str) for name in ("set_id", "grp", "reference")]
    yield from zip(*columns, strict=True)
