"""What `evenhand doctor` says: what is installed, what a spec needs, and which hosts it can contact."""

import platform
import sys
from collections.abc import Callable, Mapping, Sized
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal

from audit.audited import build_targets
from audit.errors import AuditError
from audit.plugins import secret_names
from audit.runs import analyzer_context, build_analyzers, build_probes, preview_plan
from audit.spec import Spec, load_spec
from probes.data import data_root, data_sets
from probes.errors import ProbeError
from probes.records import Record

__all__ = ["EXTRAS", "Check", "check_installation", "check_spec", "hosts_of"]

EXTRAS = {
    "toxicity": ("detoxify", "torch", "transformers"),
    "toxicity-onnx": ("onnxruntime", "tokenizers"),
    "parquet": ("pyarrow",),
    "logs": ("zstandard",),
    "energy": ("codecarbon", "ecologits"),
    "transformers": ("torch", "transformers", "peft"),
    "training": ("torch", "transformers", "peft", "trl", "datasets"),
    "litellm": ("litellm",),
}
"""Packages of each extra that a user may install."""


class Check(Record):
    """One thing that was looked at."""

    subject: str
    state: Literal["ok", "absent", "problem"]
    """`absent` is something optional that is not there."""
    detail: str


def check_installation() -> list[Check]:
    """Python, the package, its data and its extras."""
    found = [
        Check(subject="python", state="ok", detail=f"{platform.python_version()} ({sys.platform})"),
        Check(subject="evenhand", state="ok", detail=_version("evenhand") or "running from a checkout"),
    ]
    try:
        found.append(
            Check(subject="data", state="ok", detail=f"{len(data_sets())} data sets in {data_root()}")
        )
    except ProbeError as error:
        found.append(Check(subject="data", state="problem", detail=str(error)))
    for extra, packages in EXTRAS.items():
        versions = {package: _version(package) for package in packages}
        missing = [package for package, known in versions.items() if known is None]
        detail = ", ".join(f"{package} {known}" for package, known in versions.items() if known)
        if missing:
            detail = f'lacks {", ".join(missing)}: pip install "evenhand[{extra}]"'
        found.append(Check(subject=f"extra {extra}", state="absent" if missing else "ok", detail=detail))
    return found


def check_spec(path: Path, secrets: Mapping[str, str]) -> list[Check]:
    """Whether every part of a spec can be made, whether its keys are there, and whether it can be planned.

    Args:
        path: The spec file; relative paths in it are relative to its folder.
        secrets: Environment variables.

    Raises:
        SpecError: It is no spec.
    """
    spec, root, where = load_spec(path), path.parent, str(path)
    context = analyzer_context(spec, root, secrets)
    found = [
        _attempt("probes", lambda: build_probes(spec, root, where)),
        _attempt("analyzers", lambda: build_analyzers(spec, context, where)),
        _attempt("targets", lambda: build_targets(spec, root, where, secrets)),
    ]
    names = [
        name
        for role, section in (("target", spec.target), ("baseline", spec.baseline))
        if section is not None
        for name in secret_names({"type": section.type, **section.options()}, where=f"{where}: {role}")
    ]
    if found[1].state == "ok":
        names += [name for one in build_analyzers(spec, context, where) for name in one.info.secret_names]
    if all(one.state == "ok" for one in found):
        found.append(_plan(path))
    return [*found, *(_key(name, secrets) for name in dict.fromkeys(names))]


def _plan(path: Path) -> Check:
    """Whether what the parts name of each other is there, which only the whole plan can tell."""
    try:
        plan = preview_plan(path)
    except (AuditError, ProbeError) as error:
        return Check(subject="plan", state="problem", detail=str(error))
    return Check(subject="plan", state="ok", detail=f"{plan.prompts} prompts, {plan.requests} requests")


def _key(name: str, secrets: Mapping[str, str]) -> Check:
    there = bool(secrets.get(name))
    detail = "is set" if there else "is not set in the environment"
    return Check(subject=f"key {name}", state="ok" if there else "problem", detail=detail)


def hosts_of(spec: Spec, root: Path, where: str, secrets: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """Every network host that a run of the spec can contact, by the part of the spec that does.

    Nothing else in the package opens a connection: probes and reports are offline, and an analyzer is
    unless it names hosts here or the user asked to have its model downloaded.
    """
    hosts = {role: target.info.hosts for role, target in build_targets(spec, root, where, secrets).items()}
    for analyzer in build_analyzers(spec, analyzer_context(spec, root, secrets), where):
        hosts[f"analyzer {analyzer.info.name}"] = analyzer.info.hosts
    return hosts


def _attempt(subject: str, make: Callable[[], Sized]) -> Check:
    try:
        count = len(make())
    except (AuditError, ProbeError) as error:
        return Check(subject=subject, state="problem", detail=str(error))
    return Check(subject=subject, state="ok", detail=f"{count} ready")


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
