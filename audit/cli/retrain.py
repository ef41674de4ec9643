"""`evenhand retrain`: findings become files that a fine-tuning service or a local trainer takes."""

import os
from collections.abc import Mapping
from pathlib import Path

import click

from audit import api, asking
from audit.cli.console import data, say
from audit.cli.options import json_option, run_argument, shares
from audit.cli.training import base_option, train_option, training, yes_option
from audit.errors import InputError
from audit.retraining.held_out import parse_held_out
from audit.retraining.records import DEFAULT_FORMATS, Format, RetrainingFiles, RetrainingOptions

__all__ = ["retrain"]

_LONGEST_LICENCE = 200


@click.command()
@run_argument
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of the files; RUN/retraining if absent.",
)
@click.option(
    "--to",
    "formats",
    default=",".join(DEFAULT_FORMATS),
    show_default=True,
    help="Formats, separated by commas.",
)
@click.option(
    "--max-examples",
    default=500,
    show_default=True,
    type=click.IntRange(min=10, max=1_000_000),
    help="Upper bound of the examples.",
)
@click.option(
    "--mix",
    default="contrast=0.5,replay=0.1",
    show_default=True,
    callback=shares,
    help="Shares of look-alikes (contrast) beside safety repairs, and of ordinary requests (replay) beside "
    "repairs of decisions; repairs take the rest of each.",
)
@click.option(
    "--holdout",
    multiple=True,
    metavar="KEY=VALUE",
    help="What no example may touch, such as attribute=age or technique=fiction; may be given several times.",
)
@click.option(
    "--strategy",
    "strategies",
    multiple=True,
    help="Strategy that may answer findings; all that are installed if absent, may be given several times.",
)
@click.option(
    "--rewrite",
    "rewrites",
    multiple=True,
    metavar="TRANSFORM",
    help="Technique, such as roleplay, under which every request that is to be refused or answered is there "
    "too; may be given several times.",
)
@click.option(
    "--only-reviewed",
    type=click.Path(path_type=Path, dir_okay=False),
    help="JSONL file of people's labels of examples; what nobody approved is left out.",
)
@click.option(
    "--replay",
    type=click.Path(path_type=Path, dir_okay=False),
    help="JSONL file of your own ordinary dialogues (messages, the answer last), taken instead of shipped "
    "ones; --mix replay= is then their share of all examples.",
)
@click.option(
    "--replay-licence", default="not stated", show_default=True, help="Licence of those rows, for the card."
)
@click.option(
    "--own-answers",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of a run in which the audited model answers fresh cases; it is asked if nothing is there. "
    "Repairs of decisions and of harmful compliance then use its own words.",
)
@click.option("--seed", type=click.IntRange(min=0), help="Seed of the examples; the run's if absent.")
@click.option("--train", "trainer", help="Also train: name of a trainer, such as transformers.")
@train_option
@base_option
@click.option(
    "--model-out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of the trained model; OUT/model if absent.",
)
@yes_option
@json_option
def retrain(
    run_folder: Path,
    out: Path | None,
    formats: str,
    max_examples: int,
    mix: Mapping[str, float],
    holdout: tuple[str, ...],
    strategies: tuple[str, ...],
    rewrites: tuple[str, ...],
    only_reviewed: Path | None,
    replay: Path | None,
    replay_licence: str,
    own_answers: Path | None,
    seed: int | None,
    trainer: str | None,
    train_options: Mapping[str, object],
    base: Path | None,
    model_out: Path | None,
    yes: bool,
    as_json: bool,
) -> None:
    """Write retraining files from the findings of a run.

    The examples are made anew, from templates that no audit uses: an audit prompt never becomes
    training data. RETRAINING_CARD.md beside them says what they are, where the answers come from
    and which gates they passed.
    """
    if trainer is None:
        _refuse({"--train-option": train_options, "--base": base, "--model-out": model_out})
    run = api.open_run(run_folder)
    options = RetrainingOptions(
        max_examples=max_examples,
        formats=_formats(formats),
        seed=run.spec.seed if seed is None else seed,
        holdout=parse_held_out(",".join(holdout), "--holdout") if holdout else {},
        strategies=strategies,
        rewrites=rewrites,
        only_reviewed=only_reviewed,
        replay=replay,
        replay_licence=_licence(replay_licence),
        **{f"{name}_share": share for name, share in mix.items()},
    )
    document, asked = api.load_document(run), None
    if own_answers is not None:
        asked = asking.own_answers(run, document.findings, own_answers, options, secrets=os.environ)
    files = api.retrain(run, document, out or run.folder.retraining, options, own_answers=asked)
    trained = None
    if trainer is not None:
        _show(files)
        how = training(trainer, train_options, base, agreed=yes)
        model = model_out or files.folder / "model"
        trained = api.train(how, run, files, model, seed=options.seed)
    if as_json:
        data(
            {
                "folder": str(files.folder),
                "manifest": files.manifest.model_dump(mode="json"),
                "target": None if trained is None else dict(trained.target),
                "target_file": None if trained is None else str(trained.file),
            }
        )
    if trained is None:
        _show(files)
        return
    say(f"trained: its target stands in {trained.file}")
    say(f"next: evenhand run SPEC --target {trained.file} --out AFTER; evenhand compare {run_folder} AFTER")


def _refuse(of_training: Mapping[str, object]) -> None:
    for option, given in of_training.items():
        if given:
            raise InputError(
                f"{option} needs --train NAME",
                next_step="add --train NAME, such as trainable, or leave it out",
            )


def _formats(text: str) -> tuple[Format, ...]:
    wanted = [part.strip() for part in text.split(",") if part.strip()]
    unknown = [part for part in wanted if part not in set(Format)]
    if unknown or not wanted:
        raise InputError(f"--to: accepted are {', '.join(Format)}; got {', '.join(unknown) or 'nothing'}")
    return tuple(Format(part) for part in dict.fromkeys(wanted))


def _licence(text: str) -> str:
    if not text.strip() or len(text) > _LONGEST_LICENCE or not text.isprintable():
        raise InputError(
            f"--replay-licence: accepted are 1 to {_LONGEST_LICENCE} characters in one line; got {len(text)}"
            f"{'' if text.isprintable() else ', and control characters among them'}"
        )
    return text.strip()


def _show(files: RetrainingFiles) -> None:
    for file in files.manifest.files:
        say(f"{file.rows:>6} rows  {files.folder / file.path}")
    for companion in files.manifest.companions:
        say(f"beside them  {files.folder / companion.path}")
    for gate in files.manifest.gates:
        say(f"gate {gate.gate}: {gate.passed} of {gate.checked} passed, {gate.refused} refused")
    for reason in (*files.manifest.left_out, *files.manifest.not_written):
        say(f"left out: {reason}")
