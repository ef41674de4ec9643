"""A blind random sample of a run's answers, drawn alike from each group and reading, for people to label.

Answers to placebo prompts are a group of their own, so that labels correct the negative controls too; and so
are those of each probe that compares nobody, so that its rate has its share beside many groups.
"""

import csv
import hashlib
import io
import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from audit.atomic import append_text, write_text
from audit.audited import TARGET
from audit.checking import THRESHOLD
from audit.errors import InputError
from audit.label_readings import rated_reading
from audit.planned_run import Run
from audit.records import SampledItem
from audit.review.kept import read_kept, sole_writer
from audit.review.masking import mask, mask_prompt, telling_words
from audit.runs import analyzers_of
from audit.store.store import Store
from probes.records import Message, Prompt
from probes.seeds import rng

__all__ = ["COLUMNS", "draw", "export_sample", "read_sample"]

COLUMNS = ("item", "prompt", "response", "label", "reviewer")
_KINDS = (".csv", ".jsonl")
_NO_GROUP = "no group"
_FORMULA = re.compile(r"^(?=[=+\-@\t])", re.MULTILINE)
"""Where a cell, or a line of one, begins that a spreadsheet would run as a formula."""


def export_sample(run: Run, file: Path, *, analyzer: str, n: int) -> int:
    """Draw outputs at random, remember them in the run, and write them for reviewers, blind.

    The file shows prompt and reply without the words that tell the group, and neither the analyzer's reading
    nor the stratum; the rows are in random order, so that any first part of them is a random sample too.

    Args:
        run: A scored run.
        file: A `.csv` or `.jsonl` file that does not exist yet.
        analyzer: Analyzer whose reading is to be labelled.
        n: How many, at least 1; fewer are drawn where there are fewer.

    Returns:
        How many were written.

    Raises:
        InputError: The file exists or is of another kind, the spec lacks the analyzer, or it read nothing.
        StoreError: Another process is writing the run.
    """
    if file.suffix.lower() not in _KINDS:
        raise InputError(f"{file}: unknown kind of file {file.suffix!r}; accepted: {', '.join(_KINDS)}")
    if file.exists():
        raise InputError(f"{file}: exists already; labels in it would be lost")
    known = {one.info.name: one for one in analyzers_of(run)}
    if analyzer not in known:
        raise InputError(f"review: --analyzer: must be one of {', '.join(known)}; got {analyzer!r}")
    info = known[analyzer].info
    reading = rated_reading(known[analyzer])
    # Drawing rests on what was drawn before, so that nobody else may draw until this is remembered.
    with sole_writer(run.folder.path), run.store(read_only=True) as store:
        frame = store.frame(TARGET)
        scored = frame[(frame["analyzer"] == analyzer) & (frame["measure"] == reading)]
        scored = scored[scored["value"].notna()]
        if scored.empty:
            raise InputError(
                f"{run.folder.path}: {analyzer} has read no answer",
                next_step=f"evenhand score {run.folder.path}",
            )
        items = draw(
            scored, n, seed=run.spec.seed, before=read_sample(run), facts=(analyzer, info.version, reading)
        )
        rows = list(_blind(items, store))
        # First remembered, then written: labels of items that nobody remembers could not be taken in.
        append_text(run.folder.review_sample, "".join(item.model_dump_json() + "\n" for item in items))
    write_text(file, _written(rows, file.suffix.lower()))
    return len(items)


def draw(
    scored: pd.DataFrame,
    n: int,
    *,
    seed: int,
    before: Sequence[SampledItem],
    facts: tuple[str, str, str],
) -> list[SampledItem]:
    """Outputs in random order, as alike in number from each stratum as there are outputs.

    Args:
        scored: One row an output with its reading: columns `output`, `probe`, `arm`, `grp`, `value`.
        n: How many.
        seed: Root seed; the draw depends on it and on how many were drawn before.
        before: Items drawn earlier, which are not drawn again.
        facts: Analyzer, its version, and the reading.
    """
    mine = [one for one in before if (one.analyzer, one.measure) == (facts[0], facts[2])]
    known = {one.output for one in mine}
    # What an earlier version drew from all probes alike goes on so: strata that overlap have no probability.
    strata = _strata(scored, by_probe=not any(one.stratum.startswith(f"{_NO_GROUP} | ") for one in mine))
    generator = rng(seed, "review", *facts, str(len(known)))
    waiting = {
        name: [int(one) for one in generator.permutation(rows) if int(one) not in known]
        for name, rows in strata.items()
    }
    chosen: list[tuple[str, int]] = []
    while len(chosen) < n and any(waiting.values()):
        for name in sorted(waiting):
            if waiting[name] and len(chosen) < n:
                chosen.append((name, waiting[name].pop()))
    order = generator.permutation(len(chosen))
    return [
        SampledItem(
            item=_item(seed, facts, chosen[place][1]),
            output=chosen[place][1],
            analyzer=facts[0],
            version=facts[1],
            measure=facts[2],
            stratum=chosen[place][0],
            stratum_size=len(strata[chosen[place][0]]),
        )
        for place in order
    ]


def read_sample(run: Run) -> list[SampledItem]:
    """The items that were drawn so far.

    Raises:
        InputError: The file is damaged.
    """
    return read_kept(run.folder.review_sample, SampledItem)


def _strata(scored: pd.DataFrame, *, by_probe: bool) -> dict[str, np.ndarray[tuple[int], np.dtype[np.int64]]]:
    nobody = f"{_NO_GROUP}, " + scored["probe"].astype(str) if by_probe else _NO_GROUP
    group = scored["grp"].astype(object).where(scored["grp"].notna(), nobody).astype(str)
    # Which member of its set a placebo is tells nothing: all of them are one group of their own.
    group = group.where(scored["arm"] != "placebo", "placebo sets")
    flag = np.where(scored["value"].to_numpy(dtype=np.float64) >= THRESHOLD, "read", "not read")
    keys = group.to_numpy() + np.array(" | ", dtype=object) + flag.astype(object)
    outputs = scored["output"].to_numpy(dtype=np.int64)
    return {str(key): np.sort(outputs[keys == key]) for key in sorted(set(keys))}


def _item(seed: int, facts: tuple[str, str, str], output: int) -> str:
    text = "\x1f".join([str(seed), facts[0], facts[2], str(output)])
    return "R-" + hashlib.sha256(text.encode()).hexdigest()[:10]


def _blind(items: Sequence[SampledItem], store: Store) -> Iterator[dict[str, str]]:
    sets: dict[str, list[Prompt]] = {}
    for prompt in store.prompts():
        if prompt.set_id is not None:
            sets.setdefault(prompt.set_id, []).append(prompt)
    for item in items:
        output = store.output(item.output)
        prompt = store.prompt(output.prompt_id)
        others = [_turns(one) for one in sets.get(prompt.set_id or "", []) if one.id != prompt.id]
        words = telling_words("\n\n".join(_turns(prompt)), ["\n\n".join(one) for one in others])
        # Which number a group has changes from set to set, so that it tells nothing.
        digest = hashlib.sha256(f"{prompt.set_id}\x1f{prompt.group}".encode()).digest()
        by = f"[GROUP-{1 + digest[0] % 2}]"
        yield {
            "item": item.item,
            "prompt": _conversation(prompt, store.conversation(output), others, (words, by)),
            "response": mask(output.text or "", words, by),
            "label": "",
            "reviewer": "",
        }


def _turns(prompt: Prompt) -> list[str]:
    """What is said to the model up to the reply that is judged, a text a turn."""
    first = prompt.messages[0].content
    if len(prompt.messages) > 1:
        first = "\n\n".join(f"{message.role}: {message.content}" for message in prompt.messages)
    return [first, *prompt.further[: prompt.judged_turn]]


def _conversation(
    prompt: Prompt, said: Sequence[Message], others: Sequence[list[str]], masks: tuple[frozenset[str], str]
) -> str:
    """A conversation without what tells the group: the user's turns by comparison, the replies by words."""
    words, by = masks
    masked = [
        mask_prompt(turn, [one[place] for one in others if place < len(one)], by)
        for place, turn in enumerate(_turns(prompt))
    ]
    replies = [
        mask(one.content, words, by) for one in said[len(prompt.messages) :] if one.role == "assistant"
    ]
    shown = masked[:1]
    for reply, turn in zip(replies, masked[1:], strict=False):
        shown += [f"assistant: {reply}", f"user: {turn}"]
    return "\n\n".join(shown)


def _written(rows: Sequence[dict[str, str]], kind: str) -> str:
    if kind == ".jsonl":
        return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    text = io.StringIO()
    # A bare carriage return ends a row for many readers; python quotes only what holds a line feed.
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n", quoting=csv.QUOTE_ALL)
    writer.writeheader()
    for row in rows:
        writer.writerow({key: _as_text(value) for key, value in row.items()})
    return text.getvalue()


def _as_text(value: str) -> str:
    """A cell whose lines end in one way, and of which a spreadsheet runs none."""
    return _FORMULA.sub("'", value.replace("\r\n", "\n").replace("\r", "\n"))
