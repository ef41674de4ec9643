"""`evenhand run` and `evenhand resume`: the whole audit, or the rest of one.

What plans a run, and what states its results, is imported when it is needed: the first request of a run
that is planned already does not wait for it.
"""

import asyncio
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import click
from click.core import ParameterSource

from audit.cli.collection_events import announce, ended, started
from audit.cli.console import say, warn
from audit.cli.options import amounts, json_option, out_option, run_argument
from audit.cli.progress import fitting_mode, progress_display
from audit.collecting import collect
from audit.errors import AuditError, BatchesWaitingError, InputError
from audit.looks import SequentialRule
from audit.planned_run import Run, open_run, planned_before
from audit.spec import load_spec, with_target

__all__ = ["INTERRUPTED", "collect_and_finish", "resume", "run"]

INTERRUPTED = 130

_cache_option = click.option(
    "--cache",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of answers that runs share: those it holds are not asked for, and new ones are kept.",
)
_wait_option = click.option(
    "--wait",
    is_flag=True,
    help="Stay until batches that were submitted have ended, asking less and less often.",
)


@click.command()
@click.argument("spec", type=click.Path(path_type=Path))
@out_option
@click.option(
    "--until-decided",
    is_flag=True,
    help="Ask template by template and stop asking about what is decided either way.",
)
@click.option(
    "--decide",
    type=click.Choice(["primary", "every"]),
    default="primary",
    show_default=True,
    help="With --until-decided: the comparisons that keep the run asking.",
)
@click.option(
    "--target",
    type=click.Path(path_type=Path, dir_okay=False),
    help="YAML file of the target to audit instead of the spec's, such as what retrain --train wrote.",
)
@_wait_option
@_cache_option
@json_option
def run(
    spec: Path,
    out: Path,
    target: Path | None,
    until_decided: bool,
    decide: Literal["primary", "every"],
    wait: bool,
    cache: Path | None,
    as_json: bool,
) -> int:
    """Plan, collect, score, estimate, find and report.

    SPEC is a YAML file; `evenhand init` writes one. If the folder already holds a run of the same
    spec, the run goes on where it stopped: nothing is asked twice.
    """
    given = click.get_current_context().get_parameter_source("decide")
    if given is not ParameterSource.DEFAULT and not until_decided:
        raise click.UsageError(
            f"--decide {decide}: only a run --until-decided stops asking; add --until-decided or leave it out"
        )
    loaded = load_spec(spec)
    if target is not None:
        loaded = with_target(loaded, target)
    rule = SequentialRule(decide=decide) if until_decided else None
    made = planned_before(loaded, out, rule)
    if made is None:
        from audit import api  # noqa: PLC0415 - see above

        made = api.create_run(loaded, out, root=spec.parent, where=str(spec), sequential=rule)
    return collect_and_finish(made, as_json=as_json, wait=wait, cache=cache)


@click.command()
@run_argument
@click.option(
    "--more",
    multiple=True,
    callback=amounts,
    metavar="LIMIT=AMOUNT",
    help="Raise a limit of the spec, such as usd=5; it may be given several times.",
)
@_wait_option
@_cache_option
@json_option
def resume(run_folder: Path, more: Mapping[str, float], wait: bool, cache: Path | None, as_json: bool) -> int:
    """Go on with a run that was stopped.

    The limits of the spec hold over the whole run; --more raises one, from now on.
    """
    return collect_and_finish(open_run(run_folder), as_json=as_json, wait=wait, more=more, cache=cache)


def collect_and_finish(
    made: Run,
    *,
    as_json: bool,
    wait: bool = False,
    more: Mapping[str, float] | None = None,
    cache: Path | None = None,
) -> int:
    """Collect what is missing, then score, find and report, whatever stopped the collection.

    Args:
        made: The planned run.
        as_json: Whether standard output is for a program.
        wait: Whether to stay until batches have ended; else a run whose batches wait is left as it is.
        more: What to add to limits of the spec.
        cache: Folder of answers that runs share.

    Returns:
        The exit code.
    """
    stopped: AuditError | None = None
    turns = " and turn" if made.plan.calls_by_turn else ""
    say(
        f"{made.plan.requests} outputs planned: {made.plan.prompts} prompts, "
        f"{made.plan.repeats} a prompt{turns}"
    )
    mode = fitting_mode(as_json=as_json)
    told = mode == "ndjson"
    if told:
        announce(started(made), sys.stderr)
    with progress_display(mode, sys.stderr) as shown:
        try:
            result = asyncio.run(
                collect(made, secrets=os.environ, progress=shown, wait=wait, more=more, cache=cache)
            )
        except AuditError as error:
            stopped = error
    interrupted = stopped is None and result.interrupted
    if told:
        announce(ended(made, interrupted=interrupted, error=stopped), sys.stderr)
    if stopped is not None and (
        stopped.exit_code == InputError.exit_code or isinstance(stopped, BatchesWaitingError)
    ):
        raise stopped
    if interrupted:
        say(f"interrupted; what was answered is kept. Go on with: evenhand resume {made.folder.path}")
        return INTERRUPTED
    from audit.cli.ending import finish  # noqa: PLC0415 - see above

    code = finish(made, as_json=as_json)
    if stopped is None:
        return code
    warn(f"the run is incomplete: {stopped}")
    say(f"next: {stopped.next_step or f'evenhand resume {made.folder.path}'}")
    return stopped.exit_code
