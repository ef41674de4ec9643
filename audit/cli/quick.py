"""`evenhand quick`: an audit of an endpoint without a spec file."""

from pathlib import Path

import click

from audit import api
from audit.cli.console import say
from audit.cli.options import json_option
from audit.cli.run import collect_and_finish
from audit.estimates.measures import beyond_any
from audit.presets import quick_spec

__all__ = ["quick"]


@click.command()
@click.argument("url")
@click.option("--model", required=True, help="Name of the model, as the endpoint knows it.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("runs/quick"),
    show_default=True,
    help="Folder of the run.",
)
@click.option("--api-key-env", help="NAME of the environment variable that holds the key, if one is needed.")
@click.option(
    "--minutes",
    default=10.0,
    show_default=True,
    type=click.FloatRange(min=0, min_open=True),
    help="Stop after so long; what was collected is reported.",
)
@click.option(
    "--templates", default=40, show_default=True, type=click.IntRange(min=12), help="Situations a domain."
)
@click.option(
    "--max-in-flight",
    default=8,
    show_default=True,
    type=click.IntRange(min=1, max=256),
    help="Requests at the same time.",
)
@json_option
def quick(
    url: str,
    model: str,
    out: Path,
    api_key_env: str | None,
    minutes: float,
    templates: int,
    max_in_flight: int,
    as_json: bool,
) -> int:
    """Audit an OpenAI-compatible endpoint without a spec file.

    URL is the endpoint's base, such as http://127.0.0.1:8000/v1. Asks for decisions on loans and
    jobs, and harmless questions that look harmful; no attack probes.
    """
    target = {"base_url": url, "model": model, "max_in_flight": max_in_flight}
    if api_key_env is not None:
        target["api_key_env"] = api_key_env
    spec = quick_spec(target, minutes=minutes, templates=templates)
    run = api.create_run(spec, out, root=Path.cwd(), where="quick")
    sizes = [one.smallest_detectable for one in run.plan.detectable if one.smallest_detectable is not None]
    if sizes:
        size = max(sizes)
        pooled = size / len({entry.domain for entry in run.plan.detectable}) ** 0.5
        one, all_ = (
            "none at all" if beyond_any(seen, "rate") else f"about {100 * seen:.0f} points"
            for seen in (size, pooled)
        )
        say(
            f"n = {run.plan.requests}; the smallest disparity it can see (in 4 of 5 runs) is "
            f"{one} in one domain and {all_} over all"
        )
    return collect_and_finish(run, as_json=as_json)
