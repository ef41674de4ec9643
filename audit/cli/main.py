"""The `evenhand` command: finds the subcommand asked for, and turns errors into one line and an exit code.

Subcommands are imported when they run, so `evenhand --help` answers at once.
"""

import errno
import importlib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import click

from audit import __version__
from audit.cli.console import clean
from audit.cli.next_step import usual_next
from audit.cli.streams import abandon_output, settle_streams
from audit.errors import AuditError
from probes.errors import ProbeError

__all__ = ["COMMANDS", "cli", "main"]

INTERRUPTED = 130
_NO_ROOM = frozenset({errno.ENOSPC, errno.EFBIG, errno.EDQUOT})


class _Command(NamedTuple):
    module: str
    attribute: str
    summary: str


# In the order of the loop. The summary is checked against the command's own help by a test.
COMMANDS: dict[str, _Command] = {
    "demo": _Command("demo", "demo", "Run the whole loop on a small learned lender, offline."),
    "quick": _Command("quick", "quick", "Audit an OpenAI-compatible endpoint without a spec file."),
    "init": _Command("init", "init", "Write a commented, valid spec."),
    "doctor": _Command("doctor", "doctor", "Say what is installed and what a spec can reach."),
    "plan": _Command(
        "plan", "plan", "Count prompts, requests, tokens and what they can decide, before any is sent."
    ),
    "run": _Command("run", "run", "Plan, collect, score, estimate, find and report."),
    "resume": _Command("run", "resume", "Go on with a run that was stopped."),
    "score": _Command("stages", "score", "Score the outputs of a run again; what is audited is not called."),
    "findings": _Command("stages", "findings", "Estimate and list the findings of a run."),
    "report": _Command("stages", "report", "Write the HTML report of a run."),
    "export": _Command(
        "export", "export", "Write a run's prompts, outputs and scores as Parquet or CSV files."
    ),
    "review": _Command(
        "review",
        "review",
        "Have people label a blind sample of a run's answers, and correct its estimates by it.",
    ),
    "retrain": _Command("retrain", "retrain", "Write retraining files from the findings of a run."),
    "compare": _Command("compare", "compare", "Compare two runs of one plan, paired by prompt."),
    "loop": _Command(
        "loop",
        "loop",
        "Audit, write files, train and audit again, until the gate is met or nothing helps.",
    ),
    "audit-table": _Command(
        "audit_table", "audit_table_command", "Audit a CSV or Parquet file of decisions that have been made."
    ),
    "recheck": _Command(
        "recheck", "recheck_command", "Re-score published claims from their own released outputs."
    ),
    "serve-specimen": _Command(
        "serve_specimen",
        "serve_specimen",
        "Serve specimens, hostile and faulty models as an OpenAI-compatible server.",
    ),
    "probes": _Command("catalogue", "probes", "List, show and check probes."),
    "targets": _Command("catalogue", "targets", "List and show targets, and check that one answers."),
    "analyzers": _Command("catalogue", "analyzers", "List, show, check and convert analyzers."),
}


class _LazyGroup(click.Group):
    """A group that knows its commands' names and summaries without importing them."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return None
        module = importlib.import_module(f"audit.cli.{entry.module}")
        command = getattr(module, entry.attribute)
        return command if isinstance(command, click.Command) else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        with formatter.section("Commands, in the order of the loop"):
            formatter.write_dl([(name, entry.summary) for name, entry in COMMANDS.items()])


@click.command(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="evenhand")
def cli() -> None:
    """Audit a language model for bias and unsafe behaviour, and mend what the audit finds.

    Start with `evenhand demo --out demo`: it needs no key, no network and no GPU.

    Exit codes: 0 done, 1 gate failed, 2 usage or configuration, 3 incomplete or inconclusive,
    4 budget reached, 130 interrupted and resumable.
    """


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit with its code.

    Args:
        arguments: Words after `evenhand`; those of the process by default.
    """
    sys.exit(_run(arguments))


def _run(arguments: Sequence[str] | None) -> int:
    settle_streams()
    given = sys.argv[1:] if arguments is None else arguments
    try:
        code = cli.main(args=arguments, prog_name="evenhand", standalone_mode=False)
        if sys.stdout is not None:
            # Here, where it can still be explained, rather than when the interpreter ends.
            sys.stdout.flush()
    except click.ClickException as error:
        return _misused(error)
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted; what was stored is kept: run the same command again to go on", err=True)
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of our standard output has gone; there is nobody left to tell.
        abandon_output()
        return 1
    except (AuditError, ProbeError, OSError) as error:
        return _explain(error, given)
    except Exception:
        # Whatever nothing foresaw is a defect of ours, unless the run it came to grief over is damaged.
        damage = _damage(given)
        if damage is None:
            raise
        return _explain(damage, given)
    return code if isinstance(code, int) else 0


def _damage(arguments: Sequence[str]) -> AuditError | None:
    """What is wrong with a run that the command names; None if nothing is found."""
    named = [Path(word.partition("=")[2] if word.startswith("--") else word) for word in arguments]
    runs = [path for path in named if path.name and (path / "run.sqlite").is_file()]
    if not runs:
        return None
    from audit.damage import damage_of  # noqa: PLC0415 - only a command that failed pays for it

    return next((found for found in map(damage_of, runs) if found is not None), None)


def _misused(error: click.ClickException) -> int:
    """Print in one line what is wrong with the words of a command, and where its options are told."""
    context = error.ctx if isinstance(error, click.UsageError) else None
    said = " ".join(clean(error.format_message()).split())
    path = context.command_path if context is not None else "evenhand"
    click.secho(f"error: {path}: {said}", err=True, fg="red")
    click.echo(f"next: {path} --help", err=True)
    return 2


def _explain(error: AuditError | ProbeError | OSError, arguments: Sequence[str]) -> int:
    """Print what went wrong, a line a problem, and what gets the user on; give the exit code."""
    message, next_step, code = str(error), None, 2
    if isinstance(error, AuditError):
        next_step, code = error.next_step, error.exit_code
    elif isinstance(error, OSError):
        if error.filename is None and error.errno not in _NO_ROOM:
            raise error
        message = f"{error.filename or 'while writing'}: {error.strerror}"
        if error.errno in _NO_ROOM:
            abandon_output()
            next_step = "make room, then give the command again"
    for line in message.splitlines():
        click.secho(f"error: {clean(line)}", err=True, fg="red")
    click.echo(f"next: {clean(next_step or usual_next(error, arguments, cli))}", err=True)
    return code
