"""Refusing to go on with a run that was planned otherwise."""

import difflib
from collections.abc import Iterator

from audit.errors import SpecError, StoreError
from audit.looks import SequentialRule
from audit.run_folder import RunFolder
from audit.spec import dump_spec, load_spec

__all__ = ["refuse_other_rule", "refuse_other_spec"]


def refuse_other_spec(folder: RunFolder, text: str) -> None:
    """Refuse to go on with a run of another spec.

    Raises:
        StoreError: The specs differ; the message names the lines.
    """
    before = _kept(folder).splitlines()
    after = text.splitlines()
    if before == after:
        return
    lines = list(_difference(before, after))[:8]
    raise StoreError(
        "\n".join([f"{folder.path}: holds a run of another spec; they differ in", *lines]),
        next_step="choose another --out folder, or undo the change of the spec",
    )


def _kept(folder: RunFolder) -> str:
    """The kept spec with today's defaults: keys that came later must not set it apart from the same spec."""
    try:
        return dump_spec(load_spec(folder.spec))
    except SpecError:
        # Damage to the kept spec is told when it is read; here only what it says counts.
        return folder.spec.read_text(encoding="utf-8", errors="replace")


def refuse_other_rule(
    folder: RunFolder, planned: SequentialRule | None, wanted: SequentialRule | None
) -> None:
    """Refuse to go on with a run by another rule of looks.

    Raises:
        StoreError: The rules differ.
    """
    if planned == wanted:
        return
    said = (
        "all its prompts to be asked" if planned is None else f"--until-decided (--decide {planned.decide})"
    )
    raise StoreError(
        f"{folder.path}: holds a run that was planned with {said}; that cannot change afterwards",
        next_step=f"evenhand resume {folder.path}, or choose another --out folder",
    )


def _difference(before: list[str], after: list[str]) -> Iterator[str]:
    for line in difflib.unified_diff(before, after, lineterm="", n=0):
        if line[:1] in "+-" and line[:3] not in {"+++", "---"}:
            yield f"  {'was' if line[0] == '-' else 'now'}: {line[1:].strip()}"
