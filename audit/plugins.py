"""From a part of the spec to a ready plug-in: load by name, validate its options, construct it.

Built-in and third-party plug-ins come the same way. Every mistake of the user ends as a `SpecError` with one
line a problem, which names the place in the spec.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import ClassVar, Protocol, TypeVar, cast

from pydantic import ValidationError

from audit.analyzers.base import Analyzer, AnalyzerContext, AnalyzerInfo
from audit.errors import InputError, SpecError
from audit.targets.base import Target, TargetContext
from audit.validation import problem_lines
from probes.base import Options, Probe
from probes.errors import PluginError, ProbeError
from probes.plugins import load

__all__ = [
    "ANALYZERS",
    "PROBES",
    "TARGETS",
    "TRAINERS",
    "analyzer_info",
    "build_analyzer",
    "build_probe",
    "build_target",
    "load_plugin",
    "options_class",
    "secret_names",
    "validated_options",
]

PROBES = "evenhand.probes"
TARGETS = "evenhand.targets"
ANALYZERS = "evenhand.analyzers"
TRAINERS = "evenhand.trainers"

_Built = TypeVar("_Built")


class _Described(Protocol):
    info: ClassVar[AnalyzerInfo]


def build_target(options: Mapping[str, object], context: TargetContext, *, where: str) -> Target:
    """The target that a part of the spec describes; nothing is contacted.

    Args:
        options: `type` and the options of that type.
        context: Name, folder of the spec and secrets.
        where: File and key, such as `spec.yaml: target`, for messages.

    Raises:
        SpecError: The type is unknown or does not load, or an option is wrong.
        InputError: A file or module that the options name is missing or malformed.
    """
    name, own = _split(options, "type", where)
    plugin = load_plugin(TARGETS, name, where=f"{where}.type")
    construct = cast("Callable[[Options, TargetContext], Target]", plugin)
    checked = validated_options(plugin, own, where=where)
    return _constructed(lambda: construct(checked, context), where)


def secret_names(options: Mapping[str, object], *, where: str) -> tuple[str, ...]:
    """Environment variables that a target needs, by name, so that the caller can read just these.

    Args:
        options: As for `build_target`.
        where: As for `build_target`.

    Raises:
        SpecError: As for `build_target`.
    """
    name, own = _split(options, "type", where)
    plugin = load_plugin(TARGETS, name, where=f"{where}.type")
    return cast("type[Target]", plugin).secret_names(validated_options(plugin, own, where=where))


def build_analyzer(
    name: str, options: Mapping[str, object], context: AnalyzerContext, *, where: str
) -> Analyzer:
    """The analyzer registered under a name, with its options; nothing is contacted.

    Args:
        name: Such as `decision`.
        options: Its options, without `use`.
        context: Folder of the spec and secrets.
        where: File and key, such as `spec.yaml: analyzers[0]`, for messages.

    Raises:
        SpecError: The name is unknown or does not load, or an option is wrong.
    """
    plugin = cast("type[Analyzer]", load_plugin(ANALYZERS, name, where=f"{where}.use"))
    checked = validated_options(plugin, options, where=where)
    return _constructed(lambda: plugin(checked, context), where)


def analyzer_info(name: str, *, where: str) -> AnalyzerInfo:
    """What the analyzer registered under a name says of itself, before any option is known.

    Raises:
        SpecError: The name is unknown or does not load.
    """
    return cast("type[_Described]", load_plugin(ANALYZERS, name, where=where)).info


def build_probe(options: Mapping[str, object], *, root: Path, where: str) -> Probe:
    """The probe that a part of the spec describes.

    Args:
        options: `use` and the options of that probe; a relative `path` is resolved against `root`.
        root: Folder of the spec.
        where: File and key, such as `spec.yaml: probes[0]`, for messages.

    Raises:
        SpecError: The name is unknown or does not load, or an option is wrong.
    """
    name, own = _split(options, "use", where)
    plugin = load_plugin(PROBES, name, where=f"{where}.use")
    path = own.get("path")
    if isinstance(path, str | Path):
        own["path"] = str(root / path)
    construct = cast("Callable[[Options], Probe]", plugin)
    checked = validated_options(plugin, own, where=where)
    return _constructed(lambda: construct(checked), where)


def load_plugin(group: str, name: str, *, where: str) -> type:
    """The class registered under a name.

    Args:
        group: Entry-point group, such as `TRAINERS`.
        name: The plug-in's name.
        where: File and key that named it, for messages.

    Raises:
        SpecError: The name is unknown, registered twice, or does not load.
    """
    try:
        return load(group, name)
    except PluginError as error:
        kind = group.removeprefix("evenhand.")
        listed = kind in {"probes", "targets", "analyzers"}
        raise SpecError(
            f"{where}: {str(error).removeprefix(f'{group}: ')}",
            next_step=f"evenhand {kind} list" if listed else None,
        ) from error


def options_class(plugin: type, *, where: str) -> type[Options]:
    """The class that validates a plug-in's options.

    Raises:
        SpecError: The plug-in has none, so it breaks the seam.
    """
    kind: object = getattr(plugin, "Options", None)
    if not (isinstance(kind, type) and issubclass(kind, Options)):
        raise SpecError(f"{where}: plug-in {plugin.__module__}.{plugin.__qualname__} has no Options class")
    return kind


def validated_options(plugin: type, options: Mapping[str, object], *, where: str) -> Options:
    """The options of a plug-in, validated by its own `Options` class.

    Raises:
        SpecError: One line for every wrong, missing or unknown key.
    """
    kind = options_class(plugin, where=where)
    try:
        return kind.model_validate(dict(options))
    except ValidationError as error:
        raise SpecError("\n".join(problem_lines(error, where, kind))) from error


def _split(options: Mapping[str, object], selector: str, where: str) -> tuple[str, dict[str, object]]:
    own = dict(options)
    name = own.pop(selector, None)
    if not isinstance(name, str):
        raise SpecError(f"{where}.{selector}: must be the name of a plug-in; got {name!r}")
    return name, own


def _constructed(construct: Callable[[], _Built], where: str) -> _Built:
    """What a constructor gives; what it finds wrong with data or options becomes an error of the spec."""
    try:
        return construct()
    except ProbeError as error:
        raise SpecError(f"{where}: {error}") from error
    except SpecError as error:
        lines = [f"{where}: {line}" for line in str(error).splitlines()]
        raise SpecError("\n".join(lines), next_step=error.next_step) from error
    except InputError as error:
        raise InputError(f"{where}: {error}", next_step=error.next_step) from error
