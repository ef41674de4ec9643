"""`evenhand probes`, `targets` and `analyzers`: what is installed, and whether it works."""

import asyncio
import json
import os
from collections import Counter
from pathlib import Path
from types import MappingProxyType

import click
import yaml

from audit import api
from audit.checking import AnalyzerCheck, Positive, check_analyzer
from audit.cli.console import data, say, table, warn
from audit.cli.convert import convert
from audit.cli.options import json_option
from audit.errors import InputError, NotMeasuredError
from audit.labelled import Labels
from audit.performance import Performance, Rate
from audit.plugin_options import ShownOption
from audit.raters import rater_context
from audit.strict_yaml import load_mapping
from audit.targets.check import TargetCheck
from probes.checks import check_probe

__all__ = ["analyzers", "probes", "targets"]

PROBLEMS = 1
_SEEDS = MappingProxyType(
    {
        "honoured": "honoured, equal seeds gave equal texts",
        "not_honoured": "not honoured, equal seeds gave unlike texts",
        "texts_do_not_vary": "cannot be told, another seed gave the same text too",
        "not_sent": "none is sent",
        "not_tried": "not tried: the target draws nothing, or did not answer",
    }
)


@click.group()
def probes() -> None:
    """List, show and check probes."""


@probes.command("list")
@json_option
def list_probes(as_json: bool) -> None:
    """List the installed probes."""
    found = api.list_probes()
    if as_json:
        data([info.model_dump(mode="json") for info in found])
        return
    rows = [[info.name, info.version, "attack" if info.attack else "-", info.measures] for info in found]
    table(["probe", "version", "kind", "measures"], rows)


@probes.command("show")
@click.argument("name")
@click.option("--prompts", "count", default=3, show_default=True, help="How many example prompts to print.")
@json_option
def show_probe(name: str, count: int, as_json: bool) -> None:
    """Show one probe: what it measures, what it cannot show, and example prompts."""
    shown = api.show_probe(name, count)
    if as_json:
        data(shown)
        return
    for key, value in shown.info.model_dump().items():
        say(f"{key}: {', '.join(value) if isinstance(value, tuple) else value}")
    if shown.needs:
        say(f"needs in a spec: {', '.join(shown.needs)}; so there are no example prompts")
    for prompt in shown.examples:
        say()
        subject = prompt.attribute or prompt.placebo or "-"
        say(f"[{prompt.domain}, {prompt.template}, {subject} {prompt.group or ''}]")
        say("\n".join([*(message.content for message in prompt.messages), *prompt.further]))


@probes.command("check")
@click.argument("name")
@json_option
def check(name: str, as_json: bool) -> int:
    """Check that a probe keeps the promises of every probe."""
    problems = check_probe(api.make_probe(name))
    if as_json:
        data({"probe": name, "problems": list(problems)})
    for problem in problems:
        say(problem)
    say(f"{name}: {len(problems)} problems" if problems else f"{name}: no problem found")
    return PROBLEMS if problems else 0


@click.group()
def targets() -> None:
    """List and show targets, and check that one answers."""


@targets.command("list")
@json_option
def list_targets(as_json: bool) -> None:
    """List the installed target types."""
    found = api.list_targets()
    if as_json:
        data([one.model_dump(mode="json") for one in found])
        return
    table(["type", "summary"], [[one.name, one.summary] for one in found])


@targets.command("show")
@click.argument("name", metavar="TYPE")
@json_option
def show_target(name: str, as_json: bool) -> None:
    """Show one target type: its options, the values they take and their defaults."""
    shown = api.show_target(name)
    if as_json:
        data(shown)
        return
    say(f"{shown.name}: {shown.summary}")
    for option in shown.options:
        say()
        say(f"  {option.name}: {option.accepts}; {_default(option)}")
        if option.description:
            say(f"    {option.description}")


def _default(option: ShownOption) -> str:
    if option.required:
        return "required"
    given = option.default
    if isinstance(given, dict):
        given = {key: value for key, value in given.items() if value not in (None, {}, [])} or None
    return "not set unless given" if given is None else f"default {json.dumps(given)}"


@targets.command("check")
@click.argument("spec", type=click.Path(path_type=Path))
@click.option("--once", is_flag=True, help="Ask one question only, and not whether seeds are honoured.")
@json_option
def check_target(spec: Path, once: bool, as_json: bool) -> int:
    """Ask the targets of a spec a few harmless questions, and say what they can do."""
    found = asyncio.run(api.check_targets(api.load_spec(spec), spec.parent, str(spec), os.environ, once=once))
    if as_json:
        data([one.model_dump(mode="json") for one in found])
    for one in found:
        _show_target(one)
    failed = any(one.output is not None and one.output.error is not None for one in found)
    return InputError.exit_code if failed else 0


def _show_target(found: TargetCheck) -> None:
    output = found.output
    if output is None:
        say(f"{found.target}: not asked, since it answers none but the questions of a plan")
        for name, value in found.observed.items():
            say(f"  {name}: {value}")
        return
    if output.error is not None:
        say(f"{found.target}: failed: {output.error}")
        return
    seconds = found.seconds if output.latency_s is None else output.latency_s
    latency = "" if seconds is None else f" in {seconds:.2f} s"
    said = f"answered {output.text[:80]!r}" if output.text else f"came to {output.outcome}"
    say(f"{found.target}: {said}{latency}")
    usage = output.usage
    counted = "not told, so they will be estimated"
    if usage is not None:
        counted = f"{usage.prompt_tokens} read, {usage.completion_tokens} written"
    say(f"  tokens: {counted}")
    say(f"  log-probabilities: {'not had' if output.logprobs is None else f'{len(output.logprobs)} tokens'}")
    say(f"  seed: {_SEEDS[found.seed]}")
    of_output = {name: getattr(output, name) for name in ("finish_reason", "model", "fingerprint")}
    for name, value in (of_output | found.observed).items():
        if value is not None:
            say(f"  {name}: {value}")


@click.group()
def analyzers() -> None:
    """List, show, check and convert analyzers."""


analyzers.add_command(convert)


@analyzers.command("list")
@json_option
def list_analyzers(as_json: bool) -> None:
    """List the installed analyzers."""
    found = api.list_analyzers()
    if as_json:
        data([info.model_dump(mode="json") for info in found])
        return
    rows = [[info.name, info.version, ", ".join(info.measures), info.reads] for info in found]
    table(["analyzer", "version", "measures", "reads"], rows)


@analyzers.command("show")
@click.argument("name")
@json_option
def show_analyzer(name: str, as_json: bool) -> None:
    """Show one analyzer: what it reads, how far it can be believed, and its measured error rates."""
    info = api.show_analyzer(name)
    if as_json:
        data(info)
        return
    for key, value in info.model_dump().items():
        if key != "error_rates":
            say(f"{key}: {', '.join(value) if isinstance(value, tuple) else value}")
    for rate in info.error_rates:
        bounds = f"[{rate.ci_low:.3f}, {rate.ci_high:.3f}]"
        parts = [rate.name, *(part for part in (rate.measure, rate.group) if part)]
        say(f"{', '.join(parts)}: {rate.value:.3f} {bounds}, n = {rate.n}, on {rate.measured_on}")
    if not info.error_rates:
        say("error rates: unmeasured")


@analyzers.command("check")
@click.argument("name")
@click.option(
    "--labels",
    "file",
    required=True,
    type=click.Path(path_type=Path),
    help="CSV or JSONL file of labelled replies.",
)
@click.option("--prompt-column", default="prompt", show_default=True, help="Column of the request.")
@click.option("--response-column", default="response", show_default=True, help="Column of the reply.")
@click.option("--label-column", default="label", show_default=True, help="Column of the label.")
@click.option("--group-column", default="group", show_default=True, help="Column of the group, if any.")
@click.option(
    "--language-column", default="language", show_default=True, help="Column of the language, if any."
)
@click.option(
    "--system-column", default="system", show_default=True, help="Column of the system message, if any."
)
@click.option(
    "--cluster-column",
    default="cluster",
    show_default=True,
    help="Column of what rows share, such as the template, if any.",
)
@click.option("--measure", help="Which of the analyzer's measures; by default the one rates are made of.")
@click.option(
    "--threshold", default=0.5, show_default=True, type=float, help="Value from which a reading is positive."
)
@click.option(
    "--option",
    "options",
    multiple=True,
    metavar="KEY=VALUE",
    help="An option of the analyzer; the value is YAML, so it may be nested.",
)
@click.option(
    "--options",
    "options_file",
    type=click.Path(path_type=Path),
    help="YAML file of options; --option goes before it.",
)
@click.option(
    "--keep",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of what a judge answers, so that a check that was stopped asks nothing twice.",
)
@json_option
def check_labels(
    name: str,
    file: Path,
    prompt_column: str,
    response_column: str,
    label_column: str,
    group_column: str,
    language_column: str,
    system_column: str,
    cluster_column: str,
    measure: str | None,
    threshold: float,
    options: tuple[str, ...],
    options_file: Path | None,
    keep: Path | None,
    as_json: bool,
) -> int:
    """Measure an analyzer on replies that people have labelled.

    Labels are 1 or 0; for refusals also full, partial or none; for decision also one of the options, which
    the columns options (texts apart by |) and favourable name, or --option options=... and favourable=....
    Exit code 3 if there was nothing to measure sensitivity or specificity on.
    """
    columns = Labels(
        prompt=prompt_column,
        response=response_column,
        label=label_column,
        group=group_column,
        language=language_column,
        system=system_column,
        cluster=cluster_column,
    )
    given = {} if options_file is None else load_mapping(options_file)
    with rater_context(keep, os.environ) as context:
        found = check_analyzer(
            name,
            file,
            columns,
            options={**given, **dict(_option(text) for text in options)},
            positive=Positive(measure=measure, threshold=threshold),
            context=context,
        )
    if as_json:
        data(found)
    else:
        _show_check(found)
    return NotMeasuredError.exit_code if found.balanced_accuracy.value is None else 0


def _option(text: str) -> tuple[str, object]:
    key, equals, value = text.partition("=")
    if not (key and equals):
        raise InputError(f"analyzers check: --option: must be KEY=VALUE; got {text!r}")
    try:
        return key, yaml.safe_load(value)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise InputError(f"analyzers check: --option {key}: not a YAML value; got {value!r}") from error


def _show_check(found: AnalyzerCheck) -> None:
    shown = ", ".join(f"{label}: {count}" for label, count in found.labels.items())
    about = f"{found.measure} as {found.analyzer} (version {found.version}) reads it"
    say(f"{about}: {found.n} labelled replies (by label, {shown})")
    rows = [_check_row("all", found)]
    rows += [_check_row(f"language {name}", part) for name, part in found.by_language.items()]
    rows += [_check_row(f"group {name}", part) for name, part in found.by_group.items()]
    table(["rows", "n", "balanced accuracy", "sensitivity", "specificity", "no reading"], rows)
    for kind, parts in (("language", found.by_language), ("group", found.by_group)):
        without = found.n - sum(part.n for part in parts.values())
        if parts and without:
            say(f"without a {kind}: {without}; they are in the first row only")
    counts = Counter[str]()
    for read in found.readings.values():
        counts.update(read)
    say("readings: " + ", ".join(f"{count} {label}" for label, count in sorted(counts.items())))
    say(f"agreement: kappa {_shown(found.kappa)}, AC1 {_shown(found.ac1)}, alpha {_shown(found.alpha)}")
    say(f"if every reply without a reading is an error: {_shown(found.if_undetermined_are_errors)}")
    say(f"{found.level:.0%} intervals; {found.method}")
    if found.n_repeated:
        both = f"; {found.n_contradicted} replies are labelled both ways" * bool(found.n_contradicted)
        warn(
            f"{found.n_repeated} rows repeat the request and reply of another, and count as independent of it"
            f"{both}: name in a column cluster what rows share, or take the repeats out"
        )


def _check_row(name: str, part: AnalyzerCheck | Performance) -> list[str]:
    missing = part.confusion.undetermined_positive + part.confusion.undetermined_negative
    rates = (part.balanced_accuracy, part.sensitivity, part.specificity)
    return [name, str(part.n), *(_shown(rate) for rate in rates), str(missing)]


def _shown(rate: Rate) -> str:
    if rate.value is None:
        return "not measured"
    return f"{rate.value:.3f} [{rate.ci_low:.3f}, {rate.ci_high:.3f}] of {rate.n}"
