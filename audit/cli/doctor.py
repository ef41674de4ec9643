"""`evenhand doctor`: what is installed, and what a spec can reach."""

import os
from pathlib import Path

import click

from audit.cli.console import data, say
from audit.cli.options import json_option
from audit.diagnosis import check_installation, check_spec, hosts_of
from audit.errors import InputError
from audit.spec import load_spec

__all__ = ["doctor"]

_MARKS = {"ok": "ok     ", "absent": "absent ", "problem": "PROBLEM"}


@click.command()
@click.argument("spec", required=False, type=click.Path(path_type=Path))
@click.option("--network", is_flag=True, help="Only list every host that the SPEC can contact.")
@json_option
def doctor(spec: Path | None, network: bool, as_json: bool) -> int:
    """Say what is installed and what a spec can reach.

    Nothing is contacted; `evenhand targets check SPEC` asks the targets a few questions.
    """
    if network:
        return _network(spec, as_json=as_json)
    checks = check_installation()
    if spec is not None:
        checks += check_spec(spec, os.environ)
    if as_json:
        data([check.model_dump(mode="json") for check in checks])
    for check in checks:
        say(f"{_MARKS[check.state]} {check.subject}: {check.detail}")
    return InputError.exit_code if any(check.state == "problem" for check in checks) else 0


def _network(spec: Path | None, *, as_json: bool) -> int:
    if spec is None:
        raise InputError(
            "--network needs a SPEC: hosts depend on it", next_step="evenhand doctor --network spec.yaml"
        )
    hosts = hosts_of(load_spec(spec), spec.parent, str(spec), os.environ)
    if as_json:
        data({part: list(found) for part, found in hosts.items()})
    for part, found in hosts.items():
        say(f"{part}: {', '.join(found) or 'none'}")
    return 0
