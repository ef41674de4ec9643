"""Folders of records that a restarted server still has, and pages of them as clients list them."""

import fcntl
import os
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Generic, TypeVar

from pydantic import JsonValue, ValidationError

from audit.atomic import write_text
from audit.errors import InputError
from audit.serving.api_errors import invalid
from probes.records import Record

__all__ = ["Kept", "Shelf", "alone_in", "new_id", "page"]

_OWN = {"schema_version", "number"}


class Kept(Record):
    """A record of the server, as it lies on disk."""

    schema_version: int = 1
    id: str
    created_at: int
    """Seconds since 1970."""
    number: int = 0
    """Place in the order of making: several may be made in one second."""

    def shown(self) -> dict[str, JsonValue]:
        """The record as clients see it."""
        shown: dict[str, JsonValue] = self.model_dump(mode="json", exclude=_OWN)
        return shown


_Record = TypeVar("_Record", bound=Kept)


class Shelf(Generic[_Record]):
    """Records of one kind, a file each; every change is on disk before anybody is told of it."""

    def __init__(self, folder: Path, kind: type[_Record]) -> None:
        """Read what is there.

        Args:
            folder: Of this kind; made when the first record is put into it.
            kind: Class of the records.

        Raises:
            InputError: A file is no such record.
        """
        self._folder = folder
        self._records: dict[str, _Record] = {}
        for path in sorted(folder.glob("*.json")):
            try:
                record = kind.model_validate_json(path.read_bytes())
            except ValidationError as error:
                raise InputError(f"{path}: not a record of this server; move it away") from error
            self._records[record.id] = record
        self._next = 1 + max((record.number for record in self._records.values()), default=0)

    def newest_first(self) -> list[_Record]:
        """All records."""
        return sorted(self._records.values(), key=lambda record: -record.number)

    def find(self, name: str) -> _Record | None:
        """The record of an id."""
        return self._records.get(name)

    def add(self, record: _Record) -> _Record:
        """Keep a new record; gives it with its number.

        Raises:
            InputError: The folder cannot be written.
        """
        numbered = record.model_copy(update={"number": self._next})
        self._next += 1
        self.put(numbered)
        return numbered

    def put(self, record: _Record) -> None:
        """Keep a record in place of the one with its id.

        Raises:
            InputError: The folder cannot be written.
        """
        write_text(self._folder / f"{record.id}.json", record.model_dump_json(indent=1) + "\n")
        self._records[record.id] = record

    def show(self, record: _Record) -> None:
        """Show a record in place of the one with its id, without writing it: what differs lies elsewhere."""
        self._records[record.id] = record

    def remove(self, name: str) -> None:
        """Forget a record."""
        (self._folder / f"{name}.json").unlink(missing_ok=True)
        self._records.pop(name, None)


def new_id(prefix: str) -> str:
    """An id that no record has; ids are no measurement, so no seed is behind them."""
    return f"{prefix}{secrets.token_hex(12)}"


def page(records: Sequence[Kept], query: Mapping[str, str], *, most: int, usual: int) -> dict[str, JsonValue]:
    """One page of a list, as clients ask for it by `limit`, `after` and `order`.

    Args:
        records: The newest first.
        query: Of the request.
        most: Largest `limit`.
        usual: The limit if none is given.

    Raises:
        ApiError: 400; `limit` or `order` is wrong, or `after` names nothing.
    """
    limit = query.get("limit", str(usual))
    if not limit.isascii() or not limit.isdecimal() or not 1 <= int(limit) <= most:
        raise invalid(
            f"Invalid value for 'limit': accepted are 1 to {most}; got '{limit[:20]}'.", param="limit"
        )
    order = query.get("order", "desc")
    if order not in ("asc", "desc"):
        raise invalid("Invalid value for 'order': accepted are 'asc' and 'desc'.", param="order")
    listed = list(records) if order == "desc" else list(reversed(records))
    after = query.get("after")
    if after:
        places = [place for place, record in enumerate(listed) if record.id == after]
        if not places:
            raise invalid(f"Invalid value for 'after': nothing is called '{after[:80]}'.", param="after")
        listed = listed[places[0] + 1 :]
    shown = listed[: int(limit)]
    return {
        "object": "list",
        "data": [record.shown() for record in shown],
        "first_id": shown[0].id if shown else None,
        "last_id": shown[-1].id if shown else None,
        "has_more": len(listed) > len(shown),
    }


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Hold a folder for this process: two servers over one would answer the same batch twice.

    Raises:
        InputError: Another server holds it, or it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise InputError(f"--data {folder}: cannot be written: {error.strerror or error}") from error
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise InputError(
                f"--data {folder}: another server uses it", next_step="stop that one, or give another folder"
            ) from error
        yield
    finally:
        os.close(handle)
