"""`/v1/files`: uploads, lists, contents."""

import os
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Literal

from aiohttp import BodyPartReader, web
from pydantic import JsonValue

from audit.errors import InputError
from audit.serving.api_errors import ApiError, invalid, not_found
from audit.serving.replying import json_response
from audit.serving.shelves import Kept, Shelf, new_id, page

__all__ = ["FileEndpoints", "FileRecord", "Files"]

_UPLOADED = ("assistants", "batch", "evals", "fine-tune", "user_data", "vision")
_LINES = ("batch", "fine-tune")
"""Purposes whose files must be JSONL."""
_MOST_LISTED = 10_000
_SHORTEST_LIFE, _LONGEST_LIFE = 3600, 2_592_000
_MOST_FIELD = 1024


class FileRecord(Kept):
    """A file's facts; its bytes lie beside it."""

    object: Literal["file"] = "file"
    bytes: int
    filename: str
    purpose: str
    status: Literal["processed"] = "processed"
    status_details: None = None
    expires_at: int | None = None


class Files:
    """Files on disk, by id."""

    def __init__(self, folder: Path, now: Callable[[], float]) -> None:
        """Read what is there.

        Args:
            folder: Where files lie.
            now: Seconds since 1970.

        Raises:
            InputError: A record is damaged.
        """
        self.folder = folder
        """Where files lie."""
        self._shelf = Shelf(folder, FileRecord)
        self._now = now
        # What expired while no server ran goes at once.
        self._sweep()

    def find(self, name: str, *, param: str = "file_id") -> FileRecord:
        """The record of a file.

        Raises:
            ApiError: 404; there is none of that id, or it has expired.
        """
        self._sweep()
        record = self._shelf.find(name)
        if record is None:
            raise not_found("File", name, param=param)
        return record

    def path(self, record: FileRecord) -> Path:
        """Where the bytes of a file lie."""
        return self.folder / f"{record.id}.bin"

    def listed(self, purpose: str | None) -> list[FileRecord]:
        """Files that have not expired, the newest first."""
        self._sweep()
        return [
            record for record in self._shelf.newest_first() if purpose is None or record.purpose == purpose
        ]

    def remove(self, name: str) -> None:
        """Delete a file.

        Raises:
            ApiError: 404; there is none of that id.
        """
        self._drop(self.find(name))

    def keep(self, made: Path, filename: str, purpose: str, *, life_s: int | None = None) -> FileRecord:
        """Take over a finished file; its bytes are on disk before its record is.

        Args:
            made: A file of this folder; it is renamed.
            filename: What clients call it.
            purpose: What it is for.
            life_s: Seconds until it expires.
        """
        now = int(self._now())
        record = FileRecord(
            id=new_id("file-"),
            created_at=now,
            bytes=made.stat().st_size,
            filename=filename,
            purpose=purpose,
            expires_at=None if life_s is None else now + life_s,
        )
        made.replace(self.path(record))
        return self._shelf.add(record)

    def write(self, lines: Iterable[bytes], filename: str, purpose: str) -> FileRecord:
        """Keep a file that the server makes itself.

        Raises:
            InputError: The disk is full or cannot be written.
        """
        made = self.new_path()
        try:
            with made.open("wb") as file:
                for line in lines:
                    file.write(line)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            made.unlink(missing_ok=True)
            raise InputError(f"{made}: cannot be written: {error.strerror or error}") from error
        return self.keep(made, filename, purpose)

    def _sweep(self) -> None:
        """Delete what has expired: nobody can ask for it any more."""
        now = self._now()
        for record in self._shelf.newest_first():
            if record.expires_at is not None and record.expires_at <= now:
                self._drop(record)

    def _drop(self, record: FileRecord) -> None:
        self._shelf.remove(record.id)
        self.path(record).unlink(missing_ok=True)

    def new_path(self) -> Path:
        """An empty file to write into."""
        self.folder.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=self.folder, prefix=".upload-")
        os.close(handle)
        return Path(name)


class FileEndpoints:
    """The routes of files."""

    def __init__(self, files: Files, most_bytes: int) -> None:
        """Keep the parts.

        Args:
            files: The files.
            most_bytes: Largest upload.
        """
        self._files = files
        self._most_bytes = most_bytes

    def routes(self) -> list[web.RouteDef]:
        """Upload, list, look up, read and delete."""
        return [
            web.post("/v1/files", self._upload),
            web.get("/v1/files", self._list),
            web.get("/v1/files/{id}", self._show),
            web.get("/v1/files/{id}/content", self._content),
            web.delete("/v1/files/{id}", self._delete),
        ]

    async def _upload(self, request: web.Request) -> web.Response:
        if not request.content_type.startswith("multipart/"):
            raise invalid("Invalid Content-Type header. Expected multipart/form-data.", code=None)
        fields: dict[str, str] = {}
        made, filename = self._files.new_path(), ""
        try:
            reader = await request.multipart()
            while (part := await reader.next()) is not None:
                if not isinstance(part, BodyPartReader):
                    raise invalid("Nested multipart bodies are not accepted.", code=None)
                if part.name == "file":
                    filename = part.filename or "upload"
                    await self._receive(part, made)
                else:
                    fields[part.name or ""] = (await part.read(decode=True))[:_MOST_FIELD].decode(
                        errors="replace"
                    )
            life_s = _checked(fields, filename)
            record = self._files.keep(made, filename, fields["purpose"], life_s=life_s)
        except ValueError as error:
            raise invalid("The multipart body cannot be read.", code=None) from error
        finally:
            made.unlink(missing_ok=True)
        return json_response(record.shown())

    async def _receive(self, part: BodyPartReader, made: Path) -> None:
        size = 0
        with made.open("wb") as file:
            while chunk := await part.read_chunk(2**16):
                size += len(chunk)
                if size > self._most_bytes:
                    said = f"The file is too large: at most {self._most_bytes} bytes are accepted."
                    raise ApiError(413, said, code="file_too_large", param="file")
                file.write(chunk)

    async def _list(self, request: web.Request) -> web.Response:
        records = self._files.listed(request.query.get("purpose"))
        return json_response(page(records, request.query, most=_MOST_LISTED, usual=_MOST_LISTED))

    async def _show(self, request: web.Request) -> web.Response:
        return json_response(self._files.find(request.match_info["id"]).shown())

    async def _content(self, request: web.Request) -> web.StreamResponse:
        record = self._files.find(request.match_info["id"])
        return web.FileResponse(
            self._files.path(record), headers={"Content-Type": "application/octet-stream"}
        )

    async def _delete(self, request: web.Request) -> web.Response:
        name = request.match_info["id"]
        self._files.remove(name)
        gone: JsonValue = {"id": name, "object": "file", "deleted": True}
        return json_response(gone)


def _checked(fields: dict[str, str], filename: str) -> int | None:
    """Seconds that an upload is to live, after a look at its fields."""
    for name, value in (("file", filename), ("purpose", fields.get("purpose"))):
        if not value:
            raise invalid(
                f"Missing required parameter: '{name}'.", param=name, code="missing_required_parameter"
            )
    purpose = fields["purpose"]
    if purpose not in _UPLOADED:
        said = f"'{purpose[:80]}' is not one of {list(_UPLOADED)} - 'purpose'"
        raise invalid(said, param="purpose", code=None)
    if purpose in _LINES and not filename.endswith(".jsonl"):
        said = f"Invalid file format for purpose '{purpose}'. Must be .jsonl"
        raise invalid(said, param="file", code="invalid_file_format")
    seconds = fields.get("expires_after[seconds]")
    if seconds is None:
        return None
    fits = seconds.isascii() and seconds.isdecimal() and _SHORTEST_LIFE <= int(seconds) <= _LONGEST_LIFE
    if not fits or fields.get("expires_after[anchor]") != "created_at":
        said = f"Invalid 'expires_after': anchor created_at, {_SHORTEST_LIFE} to {_LONGEST_LIFE} seconds."
        raise invalid(said, param="expires_after")
    return int(seconds)
