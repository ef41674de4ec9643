"""The distances of a run: which replies are compared, and where their texts come from."""

from collections.abc import Mapping
from pathlib import Path

from audit.estimates.distances import distances
from audit.estimates.frame import Readings
from audit.estimates.measures import Measure
from audit.estimates.reply_pairs import sentiment_pairs, similarity_pairs
from audit.records import Estimate
from audit.spec import Judgement
from audit.store.replies import read_replies

__all__ = ["compared_kinds", "reply_distances"]

_KINDS: Mapping[str, tuple[str, ...]] = {
    "none": (),
    "open": ("open",),
    "all": ("choice", "number", "open", "comply", "refuse", "correct"),
}

_SENTIMENT = Measure(
    name="sentiment",
    analyzer="sentiment",
    reading="sentiment",
    words="sentiment",
    unit="score in [-1, 1]",
    expects=("choice", "number", "open", "comply", "refuse", "correct"),
)


def compared_kinds(text_similarity: str) -> tuple[str, ...]:
    """The kinds of prompt whose replies are compared as texts, as `judgement.text_similarity` says."""
    return _KINDS[text_similarity]


def reply_distances(readings: Readings, folder: Path, target: str, judgement: Judgement) -> list[Estimate]:
    """Counterfactual similarity and sentiment bias of a run, each beside its placebo.

    Sentiment bias is stated wherever the sentiment analyzer ran. Texts are compared for the kinds of prompt
    that `judgement.text_similarity` names, since reading them all again costs time.

    Args:
        readings: The outputs of one target with their readings.
        folder: The run folder.
        target: Name under which the outputs are stored.
        judgement: Thresholds declared in the spec.
    """
    frames = [sentiment_pairs(readings.measure(_SENTIMENT))]
    kinds = compared_kinds(judgement.text_similarity)
    rows = readings.outputs[readings.outputs["expects"].isin(kinds)]
    if len(rows) and rows["set_id"].notna().any():
        frames.append(similarity_pairs(rows, lambda: read_replies(folder, target, kinds)))
    return distances(frames, judgement)
