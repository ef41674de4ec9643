"""Labels by reviewers: taken in all or none, never changed, joined to one label an answer."""

import unicodedata
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path

from audit.atomic import append_text
from audit.errors import InputError, NotMeasuredError
from audit.estimates.review_labels import Reviewed, ReviewLabels
from audit.label_readings import is_graded_reading
from audit.labelled import accepted_labels, is_positive
from audit.performance import Rate
from audit.planned_run import Run
from audit.records import Review, SampledItem
from audit.review.kept import read_kept, sole_writer
from audit.review.sampling import read_sample
from audit.statistics.agreement import AgreementEstimate, gwet_ac1, krippendorff_alpha
from audit.table_files import check_columns, read_rows
from probes.records import Record

__all__ = [
    "ReviewSummary",
    "import_reviews",
    "read_reviews",
    "review_labels",
    "review_summary",
    "unplaced_labels",
]

_NEEDED = frozenset({"item", "label"})
_LONGEST_NAME = 100
"""Characters of a reviewer's name."""


class ReviewSummary(Record):
    """How far a reading has been reviewed, and how well reviewers agree."""

    analyzer: str
    measure: str
    sampled: int
    labelled: int
    """Sampled answers with at least one label."""
    reviewers: dict[str, int]
    """Answers that each has labelled."""
    disputed: int
    """Answers on which reviewers disagree and nobody has adjudicated: their mean is taken."""
    adjudicated: int
    ac1: Rate
    """Gwet's AC1 of the reviewers, over answers that at least two have labelled."""
    alpha: Rate
    """Krippendorff's alpha, likewise."""


def import_reviews(run: Run, file: Path, *, reviewer: str | None, adjudicates: bool) -> tuple[int, int]:
    """Take labels into the run, all of the file or none.

    Args:
        run: The run, which remembers what was drawn.
        file: A `.csv` or `.jsonl` file with `item`, `label` and, unless `reviewer` is given, `reviewer`.
        reviewer: Who labelled every row.
        adjudicates: Whether these labels settle what reviewers disagree on.

    Returns:
        How many labels were taken, and how many rows have none yet.

    Raises:
        InputError: The file or a value in it is wrong, an item was not drawn in this run, one reviewer labels
            it in two ways, or a reviewer is not who the file says, or spelt in two ways.
        StoreError: Another process is writing the run.
    """
    known = {item.item: item for item in read_sample(run)}
    given = None if reviewer is None else _named(reviewer, "review: --reviewer")
    spelt = {one.reviewer.casefold(): one.reviewer for one in read_reviews(run)}
    taken: list[Review] = []
    lines: dict[tuple[str, str], tuple[int, bool]] = {}
    empty = 0
    for line, row in read_rows(file, _NEEDED):
        check_columns(file, frozenset(row), _NEEDED, line)
        where = f"{file}: line {line}"
        item = known.get(str(row["item"]))
        if item is None:
            raise InputError(
                f"{where}: column 'item': must be an item of this run's sample; got {row['item']!r}",
                next_step=f"evenhand review {run.folder.path} --export FILE",
            )
        label = "" if row["label"] is None else str(row["label"]).strip().casefold()
        if not label:
            empty += 1
            continue
        who = _who(str(row.get("reviewer") or ""), given, spelt, where)
        review = _review(item, label, who, adjudicates=adjudicates, where=where)
        first, before = lines.setdefault((review.item, who), (line, review.positive))
        if before != review.positive:
            raise InputError(f"{where}: labels item {review.item} by {who} otherwise than line {first} does")
        taken.append(review)
    with sole_writer(run.folder.path):
        append_text(run.folder.reviews, "".join(review.model_dump_json() + "\n" for review in taken))
    return len(taken), empty


def read_reviews(run: Run) -> list[Review]:
    """Every label that was ever given, in order.

    Raises:
        InputError: The file is damaged.
    """
    return read_kept(run.folder.reviews, Review)


def review_labels(run: Run) -> tuple[ReviewLabels, ...]:
    """The labels by answer, one object a reading, with the probability of having been labelled.

    The last label of each reviewer counts; an adjudicating one counts alone; else the mean of the reviewers
    does, so that what is disputed is neither dropped nor decided here.
    """
    labels = _standing(read_reviews(run))
    found = []
    for (analyzer, measure), items in _readings(read_sample(run)).items():
        said = {item.output: labels.get((item.output, analyzer, measure)) for item in items}
        done = Counter(item.stratum for item in items if said[item.output])
        outputs = {
            item.output: Reviewed(
                positive=_joined(votes),
                stratum=item.stratum,
                probability=min(1.0, done[item.stratum] / item.stratum_size),
            )
            for item in items
            if (votes := said[item.output])
        }
        if outputs:
            people = len({one.reviewer for one in read_reviews(run) if one.analyzer == analyzer})
            found.append(
                ReviewLabels(
                    analyzer=analyzer,
                    reading=measure,
                    threshold=0.5,
                    source=f"{len(outputs)} answers of this run, labelled by {_people(people)}",
                    outputs=outputs,
                )
            )
    return tuple(found)


def unplaced_labels(run: Run, outputs: Collection[int]) -> Counter[tuple[str, str]]:
    """Labelled answers by reading of which none can be used: never drawn in this run, or not among its own.

    Args:
        run: The run.
        outputs: Rows of its answers in the store.
    """
    drawn = {(item.output, item.analyzer, item.measure) for item in read_sample(run)}
    return Counter(
        key[1:] for key in _standing(read_reviews(run)) if key not in drawn or key[0] not in outputs
    )


def review_summary(run: Run) -> list[ReviewSummary]:
    """How far each reading has been reviewed, with the reviewers' agreement."""
    reviews = read_reviews(run)
    labels = _standing(reviews)
    found = []
    for (analyzer, measure), items in _readings(read_sample(run)).items():
        votes = [v for item in items if (v := labels.get((item.output, analyzer, measure)))]
        people = sorted({one.reviewer for vote in votes for one in vote if not one.adjudicates})
        table = [
            [
                next((float(o.positive) for o in vote if o.reviewer == who and not o.adjudicates), None)
                for who in people
            ]
            for vote in votes
        ]
        ratings = [[float("nan") if cell is None else cell for cell in row] for row in table]
        settled = [any(one.adjudicates for one in vote) for vote in votes]
        found.append(
            ReviewSummary(
                analyzer=analyzer,
                measure=measure,
                sampled=len(items),
                labelled=len(votes),
                reviewers={
                    who: sum(row[place] is not None for row in table) for place, who in enumerate(people)
                },
                disputed=sum(
                    not done and 0 < _joined(vote) < 1 for done, vote in zip(settled, votes, strict=True)
                ),
                adjudicated=sum(settled),
                ac1=_agreement(gwet_ac1, ratings),
                alpha=_agreement(krippendorff_alpha, ratings),
            )
        )
    return found


def _review(item: SampledItem, label: str, who: str, *, adjudicates: bool, where: str) -> Review:
    graded = is_graded_reading(item.measure)
    positive = is_positive(label, graded=graded)
    if positive is None:
        accepted = accepted_labels(graded=graded)
        raise InputError(f"{where}: column 'label': must be one of {accepted}, or empty; got {label!r}")
    return Review(
        item=item.item,
        output=item.output,
        analyzer=item.analyzer,
        measure=item.measure,
        label=label,
        positive=positive,
        reviewer=who,
        adjudicates=adjudicates,
    )


def _who(said: str, given: str | None, spelt: dict[str, str], where: str) -> str:
    """Who labelled a row: one person under two names, or two under one, would make agreement of nothing.

    Args:
        said: The row's own cell.
        given: Who is said to have labelled every row.
        spelt: Reviewers known so far by their case-folded names; who is new is added.
        where: The row, for messages.
    """
    place = f"{where}: column 'reviewer'"
    if given is not None and said.strip() not in {"", given}:
        raise InputError(f"{place}: says {said.strip()!r}, and --reviewer {given!r}: leave --reviewer out")
    who = given or _named(said, place)
    known = spelt.setdefault(who.casefold(), who)
    if known != who:
        raise InputError(f"{where}: the reviewer {who!r} was {known!r} before: write the name as before")
    return who


def _named(who: str, where: str) -> str:
    """A reviewer's name without blanks around it.

    Raises:
        InputError: It is empty, too long, or holds a control character, a line break or half a character.
    """
    name = who.strip()
    if not name:
        raise InputError(f"{where}: must name who labelled it; got nothing")
    hidden = any(unicodedata.category(one) in {"Cc", "Cs", "Zl", "Zp"} for one in name)
    if hidden or len(name) > _LONGEST_NAME:
        raise InputError(
            f"{where}: must be a name of at most {_LONGEST_NAME} characters, none a control character "
            f"or line break; got {name[:_LONGEST_NAME]!a}"
        )
    return name


def _readings(sample: Sequence[SampledItem]) -> dict[tuple[str, str], list[SampledItem]]:
    found: dict[tuple[str, str], list[SampledItem]] = {}
    for item in sample:
        found.setdefault((item.analyzer, item.measure), []).append(item)
    return found


def _standing(reviews: Sequence[Review]) -> Mapping[tuple[int, str, str], list[Review]]:
    """The last label of each reviewer, by output and reading."""
    last: dict[tuple[int, str, str], dict[tuple[str, bool], Review]] = {}
    for one in reviews:
        last.setdefault((one.output, one.analyzer, one.measure), {})[one.reviewer, one.adjudicates] = one
    return {key: list(by_reviewer.values()) for key, by_reviewer in last.items()}


def _joined(votes: Sequence[Review]) -> float:
    """Share of the reviewers who say that it is there; the last adjudication alone, if there is one."""
    settled = [one for one in votes if one.adjudicates]
    counted = settled[-1:] or votes
    return sum(one.positive for one in counted) / len(counted)


def _agreement(measure: Callable[[list[list[float]]], AgreementEstimate], ratings: list[list[float]]) -> Rate:
    shared = [row for row in ratings if sum(cell == cell for cell in row) > 1]  # noqa: PLR0124 - nan is unequal to itself
    missing = Rate(value=None, ci_low=None, ci_high=None, n=len(shared))
    if not shared:
        return missing
    try:
        found = measure(shared)
    except NotMeasuredError:
        return missing
    return Rate(
        value=round(found.point, 6),
        ci_low=round(found.interval.low, 6),
        ci_high=round(found.interval.high, 6),
        n=len(shared),
    )


def _people(count: int) -> str:
    return "1 reviewer" if count == 1 else f"{count} reviewers"
