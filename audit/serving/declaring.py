"""What `--target` says: names of built-in models, and targets of one's own under names of one's own."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import yaml

from audit.errors import InputError
from audit.plugins import build_target
from audit.serving.catalogue import BUILT_IN, built_in
from audit.spec import load_spec
from audit.targets.base import TargetContext

__all__ = ["read_targets"]


def read_targets(given: Sequence[str]) -> tuple[tuple[str, ...], dict[str, Mapping[str, object]]]:
    """Built-in names, and declared names with their targets.

    Args:
        given: Each a built-in name with or without options, `NAME={type: ...}`, or `NAME=FILE.yaml`, which
            takes the `target:` of a spec.

    Raises:
        InputError: A name is unknown, or what is declared is no target.
        SpecError: A named spec is malformed.
    """
    names: list[str] = []
    declared: dict[str, Mapping[str, object]] = {}
    for one in given:
        name, equals, target = one.partition("=")
        if equals and "?" not in name:
            declared[_new_name(name, declared)] = _target(target, one)
        else:
            _check_built_in(one)
            names.append(one)
    return tuple(names), declared


def _new_name(name: str, declared: Mapping[str, object]) -> str:
    if not name or name in declared or name in BUILT_IN:
        raise InputError(f"--target {name!r}: the name is empty, taken twice, or that of a built-in model")
    return name


def _target(text: str, given: str) -> Mapping[str, object]:
    if not text.lstrip().startswith("{"):
        spec = load_spec(Path(text))
        return {"type": spec.target.type, **spec.target.options()}
    try:
        target = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise InputError(f"--target {given}: not YAML: {error}") from error
    if not isinstance(target, dict):
        raise InputError(f"--target {given}: accepted: NAME={{type: ..., ...}} or NAME=SPEC.yaml")
    return {str(key): value for key, value in target.items()}


def _check_built_in(name: str) -> None:
    try:
        found = built_in(name)
    except ValueError as error:
        raise InputError(f"--target {name}: {error}") from error
    if found is None:
        raise InputError(f"--target {name}: accepted: {', '.join(BUILT_IN)}, or NAME={{type: ...}}")
    if found.target:  # The trainable model is there only when the server is.
        build_target(found.target, TargetContext(name=name, root=Path()), where=f"--target {name}")
