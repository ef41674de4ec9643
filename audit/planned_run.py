"""A planned run on disk, as every stage opens it."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING

from audit.audited import BASELINE, TARGET
from audit.errors import StoreError
from audit.looks import SequentialRule
from audit.plan import Plan
from audit.run_folder import RunFolder
from audit.run_mismatch import refuse_other_rule, refuse_other_spec
from audit.spec import Spec, dump_spec, load_spec
from audit.store.facts import facts_sha256
from audit.store.file import RESTORE, connected, failures
from audit.store.store import Store

if TYPE_CHECKING:
    from audit.estimates.frame import Readings

__all__ = ["CHANGED_FACTS", "Run", "facts_in", "open_run", "planned_before", "quarantine_salt"]


CHANGED_FACTS = "prompts: what is known of them beside their texts is not what was planned"


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A planned run on disk."""

    folder: RunFolder
    spec: Spec
    plan: Plan
    root: Path
    """Folder that the spec's relative paths are relative to."""

    @property
    def roles(self) -> tuple[str, ...]:
        """Names under which outputs are stored: `target`, and `baseline` if the spec has one."""
        return (TARGET,) if self.spec.baseline is None else (TARGET, BASELINE)

    @property
    def where(self) -> str:
        """Name of the spec file, for messages."""
        return str(self.folder.spec)

    @contextmanager
    def store(self, *, read_only: bool = False) -> Iterator[Store]:
        """The run's store, closed afterwards."""
        with Store.open(self.folder.path, read_only=read_only) as store:
            yield store

    def check_prompts(self) -> None:
        """Refuse prompts of which somebody changed what no id covers, such as attribute, domain or tags.

        It reads every prompt, some microseconds each, so it is for whatever states or certifies figures, and
        not for every command. A plan of old, without the digest, is taken as it is.

        Raises:
            StoreError: They are not those that were planned.
        """
        planned = self.plan.facts_sha256
        if planned is not None and facts_in(self.folder) != planned:
            raise StoreError(f"{self.folder.database}: is damaged: {CHANGED_FACTS}", next_step=RESTORE)

    def readings(self, role: str = TARGET) -> "Readings":
        """The finished outputs of one target with their scores."""
        from audit.estimates.frame import Readings  # noqa: PLC0415 - a second that collecting need not take

        with self.store(read_only=True) as store:
            return Readings(store.frame(role))


def planned_before(spec: Spec, out: Path, sequential: SequentialRule | None) -> Run | None:
    """The run of this spec that is in a folder already; None if there is no plan.

    Args:
        spec: The spec.
        out: The run's folder.
        sequential: When the run looks at its answers to stop early; None if it asks everything planned.

    Raises:
        StoreError: The folder holds a run of another spec (the message names the lines that differ), or
            of another rule of looks.
    """
    folder = RunFolder(out)
    if not folder.plan.exists():
        return None
    refuse_other_spec(folder, dump_spec(spec))
    made = open_run(out)
    refuse_other_rule(folder, made.plan.sequential, sequential)
    return made


def open_run(path: Path) -> Run:
    """The run in a folder.

    Raises:
        StoreError: There is no complete plan in it.
    """
    folder = RunFolder(path)
    if not folder.plan.exists():
        raise StoreError(f"{path}: holds no run (no plan.json)", next_step="evenhand run SPEC --out DIR")
    spec = load_spec(folder.spec)
    try:
        plan = Plan.model_validate_json(folder.plan.read_text(encoding="utf-8"))
    except ValueError as error:
        raise StoreError(f"{folder.plan}: is damaged: {str(error).splitlines()[0]}") from error
    with Store.open(path, read_only=True) as store:
        root = store.get_meta("root")
    if root is None:
        raise StoreError(f"{folder.database}: lacks the entry `root`; it was not written by this program")
    return Run(folder=folder, spec=spec, plan=plan, root=path / root)


def facts_in(folder: RunFolder) -> str:
    """Digest of what the store of a run holds of its prompts beside their texts.

    Raises:
        StoreError: The store cannot be read.
    """
    with failures(folder.database), closing(connected(folder.database, "ro")) as connection:
        return facts_sha256(connection)


def quarantine_salt(store: Store) -> bytes:
    """The run's own secret, so that the hash of a quarantined text cannot be looked up."""
    kept = store.get_meta("quarantine_salt")
    if kept is None:
        kept = token_hex(16)
        store.set_meta("quarantine_salt", kept)
    return bytes.fromhex(kept)
