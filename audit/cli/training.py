"""What a command that trains is told: the trainer, its options, where it starts, who agrees to the cost."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

import click

from audit import api
from audit.cli.console import say
from audit.cli.options import settings
from audit.errors import InputError
from audit.spec import load_target

__all__ = ["base_option", "train_option", "training", "yes_option"]

train_option = click.option(
    "--train-option",
    "train_options",
    multiple=True,
    metavar="KEY=VALUE",
    callback=settings,
    help="Option of the trainer, its value as YAML, such as methods=[sft,dpo]; may be given several times.",
)
base_option = click.option(
    "--base",
    type=click.Path(path_type=Path, dir_okay=False),
    help="YAML file of the target to train, where the audit asked the model in another way, as over HTTP.",
)
yes_option = click.option("--yes", is_flag=True, help="Spend what training costs without being asked.")


def training(trainer: str, options: Mapping[str, object], base: Path | None, *, agreed: bool) -> api.Training:
    """How to train, as a command was told.

    Args:
        trainer: Its name.
        options: Of the trainer.
        base: File of the target to start from; None: that of the run.
        agreed: Whether the cost is agreed to; else the person at the terminal is asked.
    """
    return api.Training(
        trainer=trainer,
        options=options,
        base=None if base is None else load_target(base),
        secrets=os.environ,
        told=say,
        agreed=(lambda _: True) if agreed else _asked,
    )


def _asked(question: str) -> bool:
    if not sys.stdin.isatty():
        raise InputError(
            f"{question} nobody is there to answer",
            next_step="give the command again with --yes to agree",
        )
    return click.confirm(question, err=True)
