"""What is installed: probes, targets and analyzers by name, with what they say of themselves."""

import inspect
from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import cast

from audit.analyzers.base import AnalyzerInfo
from audit.audited import build_targets
from audit.errors import SpecError
from audit.plugin_options import ShownOption, shown_options
from audit.plugins import ANALYZERS, PROBES, TARGETS, analyzer_info, build_probe, load_plugin, options_class
from audit.spec import Spec
from audit.targets.check import TargetCheck, check_target
from probes.base import Probe
from probes.plugins import names
from probes.records import ProbeInfo, Prompt, Record
from probes.seeds import rng

__all__ = [
    "ShownProbe",
    "ShownTarget",
    "TargetType",
    "check_targets",
    "list_analyzers",
    "list_probes",
    "list_targets",
    "make_probe",
    "show_analyzer",
    "show_probe",
    "show_target",
]

EXAMPLE_SEED = 0


class ShownProbe(Record):
    """A probe's description with some of its prompts."""

    info: ProbeInfo
    needs: tuple[str, ...] = ()
    """Options it cannot do without."""
    examples: tuple[Prompt, ...]


class TargetType(Record):
    """A target type and the options its part of the spec may have."""

    name: str
    summary: str
    options: tuple[str, ...]


class ShownTarget(Record):
    """A target type with what its options are."""

    name: str
    summary: str
    options: tuple[ShownOption, ...]


def list_probes() -> list[ProbeInfo]:
    """Descriptions of every installed probe, by name."""
    return [_probe_info(name) for name in names(PROBES)]


def make_probe(name: str) -> Probe:
    """A probe with its default options.

    Raises:
        SpecError: The probe is unknown, or needs options such as the path of a file.
    """
    return build_probe({"use": name}, root=Path(), where=name)


def show_probe(name: str, count: int) -> ShownProbe:
    """A probe's description and its first prompts.

    Args:
        name: Name of the probe.
        count: How many prompts.

    Returns:
        The description; without prompts if the probe needs options first, such as the path of a file.
    """
    info = _probe_info(name)
    options = options_class(load_plugin(PROBES, name, where="probes"), where="probes")
    needed = [key for key, field in options.model_fields.items() if field.is_required()]
    if count == 0 or needed:
        return ShownProbe(info=info, needs=tuple(needed), examples=())
    prompts = make_probe(name).prompts(rng(EXAMPLE_SEED, "probe", name))
    return ShownProbe(info=info, examples=tuple(islice(prompts, count)))


def list_targets() -> list[TargetType]:
    """Every installed target type, by name."""
    found = []
    for name in names(TARGETS):
        try:
            plugin = load_plugin(TARGETS, name, where="targets")
            options = options_class(plugin, where="targets")
        except SpecError as error:  # One that is broken hides none of the others.
            found.append(TargetType(name=name, summary=str(error), options=()))
            continue
        found.append(TargetType(name=name, summary=_summary(plugin), options=tuple(options.model_fields)))
    return found


def show_target(name: str) -> ShownTarget:
    """A target type's options, with the values they take and their defaults.

    Raises:
        SpecError: The type is unknown or broken.
    """
    plugin = load_plugin(TARGETS, name, where="targets")
    options = shown_options(options_class(plugin, where="targets"))
    return ShownTarget(name=name, summary=_summary(plugin), options=options)


def list_analyzers() -> list[AnalyzerInfo]:
    """Descriptions of every installed analyzer, by name."""
    return [show_analyzer(name) for name in names(ANALYZERS)]


def show_analyzer(name: str) -> AnalyzerInfo:
    """An analyzer's description.

    Raises:
        SpecError: The analyzer is unknown.
    """
    return analyzer_info(name, where="analyzers")


async def check_targets(
    spec: Spec, root: Path, where: str, secrets: Mapping[str, str], *, once: bool = False
) -> list[TargetCheck]:
    """Harmless questions to each target of a spec; an error is an output with its reason.

    Args:
        spec: The spec.
        root: Folder that its relative paths are relative to.
        where: Its file, for messages.
        secrets: Environment variables; a target reads only those that its options name.
        once: True to ask one question only, and not whether seeds are honoured.
    """
    found = []
    for target in build_targets(spec, root, where, secrets).values():
        try:
            found.append(await check_target(target, seed=spec.seed, once=once))
        finally:
            await target.aclose()
    return found


def _summary(plugin: object) -> str:
    """The first line of what a plug-in says of itself."""
    return (inspect.getdoc(plugin) or "").split("\n", maxsplit=1)[0]


def _probe_info(name: str) -> ProbeInfo:
    return cast("type[Probe]", load_plugin(PROBES, name, where="probes")).info
