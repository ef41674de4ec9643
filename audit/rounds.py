"""The loop in rounds: audit, write files, train, audit again, until the gate is met or nothing improves.

Every round asks new prompts (its own seed, so other people, facts and draws) and gets new examples. A sealed
set of prompts, under a seed of its own, is asked of the first model and of the last one only: what the rounds
were steered by does not judge them.

With `split` these prompts have wordings of their own too: the rounds ask one half of the templates, the
sealed set the other.

Every step lies in a folder of its own and is not done twice, so a loop that was stopped goes on where it was.
It goes on as it was begun: other options would be said of files and models that they did not make.
"""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from audit import api
from audit.atomic import write_text
from audit.errors import InputError, NothingToRepairError
from audit.findings.document import RunDocument
from audit.gates import Outcome, worst
from audit.planned_run import planned_before
from audit.records import Change
from audit.repaired.losses import loss_words, not_shown, surely_worse
from audit.retraining.records import RetrainingFiles, RetrainingOptions
from audit.retraining.writing import MANIFEST, read_retraining_files
from audit.spec import Spec, TargetSpec, load_target
from probes.records import Record
from probes.seeds import derive

__all__ = ["LOOP", "LoopResult", "Round", "Rounds", "repair_in_rounds"]

LOOP = "loop.json"
"""What a loop says of itself, as it goes."""
_SEEDS = 2**31
_ASKED = "asked.json"
"""What a loop was told when it was begun."""
_TARGET = "target.yaml"
_SEALED = "sealed"
"""Folder of the runs that judge; the seed of their prompts is named so too."""
_HALVES = ("1/2", "2/2")
"""Wordings of the rounds, and of the sealed prompts."""

End = Literal["gate met", "nothing to repair", "nothing improved", "something got worse", "rounds used up"]


class Round(Record):
    """What one round came to."""

    number: int
    seed: int
    """Of its prompts."""
    findings: int
    """Before training."""
    gate: Outcome | None
    """Of the model that the round began with, on its prompts; None without rules."""
    examples: int | None = None
    """Written; None if the round ended before."""
    improved: tuple[str, ...] = ()
    """Ids of the findings whose change is shown to be smaller."""
    worse: tuple[str, ...] = ()
    """What is surely worse by more than its margin: measure, and where."""
    unsure: tuple[str, ...] = ()
    """What is neither surely worse nor shown not to be, by its margin: measure, and where."""
    kept: bool = False
    """Whether the round's model goes on."""


class LoopResult(Record):
    """What a loop came to."""

    schema_version: Literal[1] = 1
    rounds: tuple[Round, ...]
    end: End | None
    """None: it has not ended."""
    model: str | None
    """File of the last good target, relative to the folder of the loop; None: the one that it began with."""
    gate: Outcome | None = None
    """Of the last good model on the sealed prompts; None without rules, or before they are asked."""
    fixed: int | None = None
    """Findings on the sealed prompts that are fixed; None before they are asked a second time."""
    left: int | None = None
    """Findings on the sealed prompts after the loop."""
    worse: tuple[str, ...] = ()
    """What is surely worse on the sealed prompts, as of a round."""
    unsure: tuple[str, ...] = ()
    """What is not shown not to be worse there, as of a round."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rounds:
    """What a loop is to do."""

    spec: Spec
    root: Path
    """Folder that the spec's paths are relative to."""
    out: Path
    rounds: int
    training: api.Training
    retraining: RetrainingOptions
    split: bool = False
    """Whether the sealed prompts have wordings that no round asks: each gets half of the templates."""
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    say: Callable[[str], None] = print


def repair_in_rounds(how: Rounds) -> LoopResult:
    """Runs the loop, or goes on with one that was stopped.

    Args:
        how: Spec, trainer and how many rounds at most.

    Returns:
        What it came to; `loop.json` in the folder says the same.

    Raises:
        InputError: The spec has a baseline, the folder holds another loop's runs or one that was begun with
            other options, or more rounds would need the sealed prompts, which judge one model only, again.
        KeyboardInterrupt: The collection was interrupted; what was answered is kept.
    """
    if how.spec.baseline is not None:
        raise InputError("spec: baseline: a loop compares models with each other; leave the baseline out")
    if how.split and how.spec.wordings is not None:
        raise InputError(
            "spec: wordings: leave it out with --split-wordings, which gives rounds and judges theirs"
        )
    _refuse_judged(how)
    _refuse_other_options(how)
    sealed = how.out / _SEALED
    _, first = _audited(how, how.spec.target, _seed(how, _SEALED), sealed / "before")
    _write_asked(how)
    how.say(f"sealed prompts, before: {len(first.findings)} findings")
    target, model = how.spec.target, None
    done: list[Round] = []
    end: End = "rounds used up"
    for number in range(1, how.rounds + 1):
        made, better, ended = _round(how, number, target)
        done.append(made)
        if better is not None:
            model = str((better / _TARGET).relative_to(how.out))
            target = load_target(better / _TARGET)
        _write(how, LoopResult(rounds=tuple(done), end=ended, model=model))
        if ended is not None:
            end = ended
            break
    result = LoopResult(rounds=tuple(done), end=end, model=model)
    return _judged(how, result, target, sealed)


def _judged(how: Rounds, result: LoopResult, target: TargetSpec, sealed: Path) -> LoopResult:
    """The sealed prompts, asked of the last good model; of the first one they have been asked."""
    before = api.open_run(sealed / "before")
    run, document = before, api.load_document(before)
    said: dict[str, object] = {}
    if result.model is not None:
        run, document = _audited(how, target, _seed(how, _SEALED), sealed / "after")
        compared = api.compare(before, run)
        fixed = sum(one.outcome == "fixed" for one in compared.outcomes)
        said = {"fixed": fixed, **_losses(compared.changes)}
    found = result.model_copy(update={"gate": _gate(run, document), "left": len(document.findings), **said})
    _write(how, found)
    return found


def _round(how: Rounds, number: int, target: TargetSpec) -> tuple[Round, Path | None, End | None]:
    """One round: what it came to, the folder of its model if that is better, and why the loop ends here."""
    folder, seed = how.out / f"round-{number}", _seed(how, "round", number)
    run, document = _audited(how, target, seed, folder / "before")
    gate = _gate(run, document)
    made = Round(number=number, seed=seed, findings=len(document.findings), gate=gate)
    how.say(f"round {number}: {made.findings} findings" + ("" if gate is None else f", gate {gate}"))
    if gate == "met":
        return made, None, "gate met"
    files = _files(how, number, run, document, folder / "files")
    if files is None:
        return made, None, "nothing to repair"
    examples = sum(files.manifest.kinds.values())
    trained = folder / "model"
    if not (trained / _TARGET).is_file():
        training = replace(how.training, base=target if number > 1 else how.training.base)
        api.train(training, run, files, trained, seed=_seed(how, "training", number))
    after, _ = _audited(how, load_target(trained / _TARGET), seed, folder / "after")
    compared = api.compare(run, after)
    smaller = {"fixed", "unchanged"}
    improved = tuple(one.id for one in compared.outcomes if one.shown and one.outcome in smaller)
    losses = _losses(compared.changes)
    worse, unsure = losses["worse"], losses["unsure"]
    kept = bool(improved) and not worse
    how.say(
        f"round {number}: {examples} examples, {len(improved)} findings smaller, {len(worse)} rates worse, "
        f"{len(unsure)} not shown to be no worse"
    )
    made = made.model_copy(update={"examples": examples, "improved": improved, "kept": kept, **losses})
    if kept:
        return made, trained, None
    return made, None, "something got worse" if worse else "nothing improved"


def _files(
    how: Rounds, number: int, run: api.Run, document: RunDocument, out: Path
) -> RetrainingFiles | None:
    """The round's files, aimed at what its audit found; None if nothing that was found can be repaired."""
    if (out / MANIFEST).is_file():
        return read_retraining_files(out)
    options = how.retraining.model_copy(update={"seed": _seed(how, "retraining", number)})
    sealed = api.open_run(how.out / _SEALED / "before")
    try:
        return api.retrain(run, document, out, options, kept_out=(sealed,))
    except NothingToRepairError as error:
        how.say(f"round {number}: {error}")
        return None


def _audited(how: Rounds, target: TargetSpec, seed: int, folder: Path) -> tuple[api.Run, RunDocument]:
    spec = how.spec.model_copy(update={"target": target, "seed": seed})
    if how.split:
        sealed = folder.parent.name == _SEALED
        spec = spec.model_copy(update={"wordings": _HALVES[sealed]})
    run = planned_before(spec, folder, None)
    if run is None:
        run = api.create_run(spec, folder, root=how.root, where=str(folder))
    if asyncio.run(api.collect(run, secrets=how.secrets)).interrupted:
        raise KeyboardInterrupt
    api.score(run, secrets=how.secrets)
    document = api.find(run)
    api.write_run_report(run, document)
    return run, document


def _asked(how: Rounds) -> dict[str, object]:
    """What decides the files and models of the rounds, beside the spec; as JSON gives it back."""
    training = how.training
    base = None if training.base is None else {"type": training.base.type, **training.base.options()}
    told = {
        "trainer": training.trainer,
        "base": base,
        **{f"train option {key}": value for key, value in training.options.items()},
        **how.retraining.model_dump(mode="json"),
    }
    again: dict[str, object] = json.loads(json.dumps(told, default=str))
    return again


def _write_asked(how: Rounds) -> None:
    if not (how.out / _ASKED).exists():
        write_text(how.out / _ASKED, json.dumps(_asked(how), indent=2, ensure_ascii=False) + "\n")


def _refuse_other_options(how: Rounds) -> None:
    path, now = how.out / _ASKED, _asked(how)
    if not path.is_file():
        return
    try:
        before = json.loads(path.read_text(encoding="utf-8"))
        differ = sorted(key for key in before.keys() | now if before.get(key) != now.get(key))
    except (OSError, ValueError, AttributeError) as error:
        raise InputError(f"{path}: cannot be read: {error}") from error
    if differ:
        said = (f"{key} was {before.get(key)!r}, is {now.get(key)!r}" for key in differ)
        raise InputError(
            f"{how.out}: the loop was begun with other options: {'; '.join(said)}",
            next_step="give the options of before, or choose another --out folder",
        )


def _refuse_judged(how: Rounds) -> None:
    """Refuses rounds that would end at another model than the one that the sealed prompts have judged."""
    path = how.out / LOOP
    if not path.is_file():
        return
    try:
        before = LoopResult.model_validate_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(
            f"{path}: is damaged or of another version", next_step="choose another --out folder"
        ) from error
    kept = sum(one.kept for one in before.rounds)
    further = before.end == "rounds used up" and how.rounds > len(before.rounds)
    judged = before.left is not None or (how.out / _SEALED / "after").exists()
    if judged and (further or how.rounds < kept):
        raise InputError(
            f"{how.out}: the sealed prompts have judged the model of round {kept}, and judge one model only; "
            f"got --rounds {how.rounds}",
            next_step=f"give --rounds {len(before.rounds)} as before, or choose another --out folder",
        )


def _gate(run: api.Run, document: RunDocument) -> Outcome | None:
    results = api.gate(run, document)
    return worst(results) if results else None


def _losses(changes: Sequence[Change]) -> dict[str, tuple[str, ...]]:
    return {
        "worse": tuple(map(loss_words, surely_worse(changes))),
        "unsure": tuple(map(loss_words, not_shown(changes))),
    }


def _seed(how: Rounds, *parts: str | int) -> int:
    return derive(how.spec.seed, "loop", *map(str, parts)) % _SEEDS


def _write(how: Rounds, result: LoopResult) -> None:
    write_text(how.out / LOOP, result.model_dump_json(indent=2) + "\n")
