"""How far readings of what is said of people go: `python -m benchmarks.analyzers.people --data FOLDER`.

The toxicity screen, the stereotype analyzer and their alternatives on held-out halves of public files, all
together and by group; `--rates` prints the lines that state them in the source. `--profanity PYTHON` adds
alt-profanity-check, run by an interpreter that has it: it pins scikit-learn, so it never shares ours.
"""

import argparse
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

import yaml

from audit.analyzers.associations.reading import Association
from audit.analyzers.base import AnalyzerContext
from audit.analyzers.identity import identity_sensitivity
from audit.analyzers.measured import Counts, held_out, measured
from audit.analyzers.stereotype.analyzer import StereotypeAnalyzer, stereotyped
from audit.analyzers.tone.regard import RegardAnalyzer
from audit.analyzers.tone.sentiment import SentimentAnalyzer
from audit.analyzers.toxicity.analyzer import LexicalToxicityAnalyzer
from audit.performance import Rate, balanced_accuracy
from benchmarks.analyzers.sources import (
    FEWEST,
    Item,
    Source,
    hate_sources,
    profession_sources,
    stereotype_sources,
)
from probes import data

Reader = Callable[[Sequence[Item]], list[bool]]
"""Says of each text whether it is positive."""
_PROFANITY = (
    "import json, sys; from profanity_check import predict; "
    "print(json.dumps([int(v) for v in predict(json.load(sys.stdin))]))"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """Texts of one label, and how many were read as labelled."""

    reader: str
    source: str
    group: str | None
    positive: bool
    right: int
    of: int
    stated: bool


def context() -> AnalyzerContext:
    """What an analyzer needs to be constructed."""
    return AnalyzerContext(root=Path())


def hate_readers(profanity: str | None) -> dict[str, Reader]:
    """The screen's two readings, a list of its words without any context, and an alternative."""
    screen = LexicalToxicityAnalyzer(LexicalToxicityAnalyzer.Options(), context())
    readers: dict[str, Reader] = {
        "toxicity: toxic": lambda items: [screen.rate(item.text)[0] >= 0.5 for item in items],
        "toxicity: hateful": lambda items: [screen.hateful(item.text) >= 0.5 for item in items],
        "phrase list": lambda items: [_in_list(item.text) for item in items],
    }
    if profanity is not None:
        readers["alt-profanity-check"] = partial(by_profanity_check, profanity)
    return readers


class _Reads(Protocol):
    """Finds the associations of a text."""

    def __call__(self, text: str, *, request: str) -> list[Association]: ...


def stereotype_readers() -> dict[str, Reader]:
    """The analyzer, and a group and an attribute of its lists anywhere in the text."""
    analyzer = StereotypeAnalyzer(StereotypeAnalyzer.Options(), context())
    return _association_readers("stereotype", analyzer.read)


def profession_readers() -> dict[str, Reader]:
    """The same of professions."""
    analyzer = StereotypeAnalyzer(StereotypeAnalyzer.Options(), context())
    return _association_readers("profession_stereotype", analyzer.read_professions)


def _association_readers(measure: str, reads: _Reads) -> dict[str, Reader]:
    def present(items: Sequence[Item]) -> list[bool]:
        found = (stereotyped(reads(item.text, request=item.request)) for item in items)
        return [any(one.stance == "asserted" for one in pairs) for pairs in found]

    def listed(items: Sequence[Item]) -> list[bool]:
        return [bool(reads(item.text, request=item.request)) for item in items]

    return {f"stereotype: {measure}": present, "phrase list": listed}


_WORDS = frozenset(
    word
    for group in yaml.safe_load(data.find("lexicons", "toxicity_en", "lexicon.yaml").read_text("utf-8"))[
        "groups"
    ]
    if "encoding" not in group
    for word in group["words"]
)


def _in_list(text: str) -> bool:
    return not _WORDS.isdisjoint(text.casefold().replace(".", " ").replace(",", " ").split())


def by_profanity_check(python: str, items: Sequence[Item]) -> list[bool]:
    """What alt-profanity-check says, run by an interpreter that has it."""
    texts = json.dumps([item.text for item in items])
    done = subprocess.run(
        [python, "-W", "ignore", "-c", _PROFANITY], input=texts, capture_output=True, text=True, check=True
    )
    return [bool(value) for value in json.loads(done.stdout)]


def counted(readers: Mapping[str, Reader], sources: Sequence[Source]) -> Iterator[Counted]:
    """Counts of every reader on every source, overall and for each group with enough texts of a label."""
    for source in sources:
        for name, reader in readers.items():
            read = list(zip(source.items, reader(source.items), strict=True))
            counts: Counter[tuple[str | None, bool, bool]] = Counter()
            for item, said in read:
                for group in {None, item.group} if source.overall else {item.group}:
                    counts[group, item.positive, said] += 1
            for group, positive in sorted(
                {key[:2] for key in counts}, key=lambda key: (key[0] or "", not key[1])
            ):
                right = counts[group, positive, positive]
                of = right + counts[group, positive, not positive]
                if group is None or of >= FEWEST:
                    yield Counted(
                        reader=name,
                        source=source.name,
                        group=group,
                        positive=positive,
                        right=right,
                        of=of,
                        stated=source.stated,
                    )


def rate_of(one: Counted) -> Rate:
    """A count as a rate with its Wilson interval."""
    stated = measured("rate", one.right, one.of, one.source)
    return Rate(value=stated.value, ci_low=stated.ci_low, ci_high=stated.ci_high, n=one.of)


def regard_rows() -> Iterator[tuple[str, int, int]]:
    """Right labels of own sentences: by the regard analyzer, and by sentiment in its place."""
    content = yaml.safe_load(data.find("controls", "regard_replies", "data.yaml").read_text("utf-8"))
    regard = RegardAnalyzer(RegardAnalyzer.Options(), context())
    sentiment = SentimentAnalyzer(SentimentAnalyzer.Options(), context())

    def feeling(text: str) -> str:
        value = sentiment.rate(text) or 0.0
        return "neutral" if abs(value) < 0.25 else "positive" if value > 0 else "negative"

    plain = [row for row in content["replies"] if held_out(row[1], one_in=2)]
    for kind, rows in (("plain, held out", plain), ("hard", content["hard"])):
        right = sum(regard.rate(text)[1] == label for label, text in rows)
        yield f"regard, own sentences, {kind}", right, len(rows)
        right = sum(feeling(text) == label for label, text in rows)
        yield f"sentiment in its place, {kind}", right, len(rows)


def show(found: Sequence[Counted]) -> None:
    """Print sensitivity, specificity and balanced accuracy, a row a reader, source and group."""
    print("| reading | texts | group | sensitivity | specificity | balanced accuracy |")
    print("|---|---|---|---|---|---|")
    keys = dict.fromkeys((one.source, one.group, one.reader) for one in found)
    for source, group, reader in keys:
        by_label = {
            one.positive: rate_of(one)
            for one in found
            if (one.source, one.group, one.reader) == (source, group, reader)
        }
        missing = Rate(value=None, ci_low=None, ci_high=None, n=0)
        sensitivity, specificity = by_label.get(True, missing), by_label.get(False, missing)
        both = balanced_accuracy(sensitivity, specificity)
        cells = (reader, source, group or "all", *(_cell(rate) for rate in (sensitivity, specificity, both)))
        print(f"| {' | '.join(cells)} |")


def _cell(rate: Rate) -> str:
    if rate.value is None:
        return "none"
    return f"{rate.value:.3f} [{rate.ci_low:.3f}, {rate.ci_high:.3f}], n = {rate.n:,}"


def print_rates(found: Sequence[Counted]) -> None:
    """Print the entries that state the rates of our analyzers in the source."""
    stated: dict[str, dict[str, dict[str | None, dict[bool, Counts]]]] = {}
    for one in found:
        _, colon, measure = one.reader.partition(": ")
        if colon and one.stated:
            groups = stated.setdefault(measure, {}).setdefault(f"{one.source}, held out", {})
            groups.setdefault(one.group, {})[one.positive] = (one.right, one.of)
    for measure, sources in stated.items():
        print(f"    *measured_by_group({measure!r}, {{")
        for texts, of_groups in sources.items():
            rows = {group: (both.get(True), both.get(False)) for group, both in of_groups.items()}
            print(f"        {texts!r}: {rows!r},")
        print("    }),")


def report(folder: Path, *, profanity: str | None) -> None:
    """Print the tables of what is said of people."""
    show(list(counted(hate_readers(profanity), list(hate_sources(folder)))))
    print()
    show(list(counted(stereotype_readers(), list(stereotype_sources(folder)))))
    print()
    show(list(counted(profession_readers(), list(profession_sources(folder)))))
    print()
    for reading, right, of in regard_rows():
        print(f"{reading}: {right}/{of} labelled alike, {_cell(_own(right, of))}")
    screen = LexicalToxicityAnalyzer(LexicalToxicityAnalyzer.Options(), context())
    print(f"identity sensitivity of the toxicity screen: {identity_sensitivity(screen).range:g}")


def main() -> int:
    """Print the tables, or the lines that state them in the source."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=Path("data"), help="folder of public files")
    parser.add_argument("--profanity", help="interpreter that has alt-profanity-check")
    parser.add_argument("--rates", action="store_true", help="print the lines that state the rates")
    arguments = parser.parse_args()
    if not arguments.rates:
        report(arguments.data, profanity=arguments.profanity)
        return 0
    print_rates(list(counted(hate_readers(None), list(hate_sources(arguments.data)))))
    print()
    print_rates(list(counted(stereotype_readers(), list(stereotype_sources(arguments.data)))))
    print_rates(list(counted(profession_readers(), list(profession_sources(arguments.data)))))
    return 0


def _own(right: int, of: int) -> Rate:
    return rate_of(Counted(reader="", source="", group=None, positive=True, right=right, of=of, stated=False))


if __name__ == "__main__":
    sys.exit(main())
