"""Inspect: the samples of an `.eval` log (a zip archive) or a `.json` log, version 2.

Read without Inspect itself: newer logs are compressed by Zstandard, which Python reads from 3.14 on and the
package `zstandard` before.
"""

import importlib
import io
import json
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import BinaryIO, Protocol, cast

from probes.errors import DataError
from probes.public.logs.conversations import conversation, said
from probes.public.logs.documents import DamagedError, Document
from probes.public.logs.entries import LogEntry, Problem, Reply, UnreadableError, cut, number, whole
from probes.records import Message, storable

__all__ = ["read_inspect"]

_VERSION = 2
_ZSTANDARD = 93
"""Method of compression in a zip archive."""
_LOCAL_HEADER = struct.Struct("<26xHH")
_MOST_BYTES = 256 * 2**20
"""Longest sample that is read, in bytes, unpacked."""
_SAMPLES = "samples/"
_ATTACHED = "attachment://"
_CUT_OFF = {"max_tokens": "length", "model_length": "length"}
_KNOWN = ("metadata", "scores", "target", "choices", "epoch", "limit", "input")


class _Reader(Protocol):
    def read(self, size: int) -> bytes: ...


def read_inspect(path: Path) -> Iterator[LogEntry | Problem]:
    """Every sample with its reply.

    Raises:
        DataError: The file is no log of Inspect, of another version, or needs a package that is missing.
    """
    return _document(path) if path.suffix.lower() == ".json" else _archive(path)


def _document(path: Path) -> Iterator[LogEntry | Problem]:
    place = 0
    try:
        with path.open(encoding="utf-8-sig") as handle:
            document = Document(handle, most=_MOST_BYTES)
            task = _task(path, document.enter(("samples",)))
            for sample in document.elements():
                place += 1
                yield _entry(sample, place, task)
    except DamagedError as error:
        yield Problem(row=place + 1, what=f"{error}; what follows it is lost")
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from error


def _archive(path: Path) -> Iterator[LogEntry | Problem]:
    try:
        with path.open("rb") as handle, zipfile.ZipFile(handle) as archive:
            members = {info.filename: info for info in archive.infolist()}
            # A log that is still being written, or whose run was killed, has no header yet.
            begun = members.get("header.json") or members.get("_journal/start.json")
            if begun is None:
                raise DataError(f"{path}: is an archive, but no log of Inspect: it has no header.json")
            task = _task(path, json.loads(_unpacked(path, archive, begun)))
            names = [name for name in members if name.startswith(_SAMPLES) and name.endswith(".json")]
            for place, name in enumerate(names, start=1):
                yield _member(path, archive, members[name], (place, task))
    except zipfile.BadZipFile as error:
        raise DataError(f"{path}: is no complete archive: {cut(str(error))}") from error
    except NotImplementedError as error:
        raise DataError(f"{path}: is an archive of a kind that is not read: {cut(str(error))}") from error
    except (ValueError, UnreadableError, RecursionError, zlib.error, EOFError) as error:
        raise DataError(f"{path}: its header cannot be read: {cut(str(error))}") from error
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from error


def _member(
    path: Path, archive: zipfile.ZipFile, info: zipfile.ZipInfo, at: tuple[int, str | None]
) -> LogEntry | Problem:
    place, task = at
    try:
        sample = json.loads(_unpacked(path, archive, info))
    except (ValueError, UnreadableError, RecursionError, zipfile.BadZipFile, zlib.error, EOFError) as error:
        return Problem(row=place, what=f"{cut(info.filename)} cannot be read: {cut(str(error))}")
    return _entry(sample, place, task)


def _unpacked(path: Path, archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    """A member's bytes.

    Raises:
        UnreadableError: It is larger than any sample, or damaged.
        DataError: It needs a package that is missing.
    """
    if info.file_size > _MOST_BYTES:
        raise UnreadableError(f"is {info.file_size} bytes unpacked; at most {_MOST_BYTES} are read")
    try:
        with archive.open(info) as member:
            found = member.read(_MOST_BYTES + 1)
    except RuntimeError as error:  # also NotImplementedError, for what this Python cannot unpack
        if info.compress_type != _ZSTANDARD or not isinstance(error, NotImplementedError):
            raise UnreadableError(f"cannot be unpacked: {error}") from error
        found = _zstandard(path, archive, info)
    if len(found) != info.file_size or zlib.crc32(found) != info.CRC:
        raise UnreadableError("is damaged: its checksum does not fit")
    return found


def _zstandard(path: Path, archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    try:
        zstandard = importlib.import_module("zstandard")
    except ImportError as error:
        raise DataError(
            f'{path}: is compressed by Zstandard, which needs a package: pip install "evenhand[logs]"'
        ) from error
    handle = cast("BinaryIO", archive.fp)
    handle.seek(info.header_offset)
    name, extra = _LOCAL_HEADER.unpack(handle.read(_LOCAL_HEADER.size))
    handle.seek(name + extra, io.SEEK_CUR)
    packed = io.BytesIO(handle.read(info.compress_size))
    reader = cast("_Reader", zstandard.ZstdDecompressor().stream_reader(packed, read_across_frames=True))
    try:
        return reader.read(info.file_size + 1)
    except zstandard.ZstdError as error:
        raise UnreadableError(f"is damaged: {error}") from error


def _task(path: Path, header: object) -> str | None:
    """Name of the task, from a header whose version is checked."""
    top = _mapping(header)
    if top.get("version") != _VERSION:
        raise DataError(f"{path}: version must be {_VERSION}; got {cut(top.get('version'))}")
    name = _mapping(top.get("eval")).get("task")
    return name if isinstance(name, str) and name else None


def _entry(sample: object, place: int, task: str | None) -> LogEntry | Problem:
    row = _mapping(sample)
    try:
        kept = _mapping(row.get("attachments"))
        return LogEntry(
            row=place,
            id=str(row["id"]),
            repeat=_epoch(row) - 1,
            messages=tuple(_attached(message, kept) for message in _asked(row)),
            reply=_reply(row, kept),
            task=task,
            facts={name: row[name] for name in _KNOWN if name in row},
        )
    except (KeyError, UnreadableError) as error:
        what = f"lacks {error}" if isinstance(error, KeyError) else str(error)
        return Problem(row=place, what=f"sample cannot be read: {what}")


def _epoch(row: Mapping[str, object]) -> int:
    found = row.get("epoch", 1)
    if not isinstance(found, int) or not 1 <= found < 2**31:
        raise UnreadableError(f"epoch must be a whole number from 1; got {cut(found)}")
    return found


def _asked(row: Mapping[str, object]) -> tuple[Message, ...]:
    """What the model was sent before its last reply; the sample's input where tools answered in between.

    A solver may put a system prompt or a frame around the input, so that the messages say what was sent.
    """
    sent = row.get("messages")
    if isinstance(sent, list) and sent:
        last = sent[-1]
        before = sent[:-1] if isinstance(last, Mapping) and last.get("role") == "assistant" else sent
        try:
            return conversation(before)
        except UnreadableError:
            pass  # The input below says what can be asked, or why nothing can.
    return conversation(row["input"])


def _reply(row: Mapping[str, object], kept: Mapping[str, object]) -> Reply:
    output = _mapping(row.get("output"))
    choices = output.get("choices")
    choice = _mapping(choices[0]) if isinstance(choices, list) and choices else {}
    failed = row.get("error") or output.get("error")
    model = output.get("model")
    if failed or not choice:
        what = _mapping(failed).get("message") if isinstance(failed, Mapping) else failed
        return Reply(error=str(what or "Inspect recorded no output"), model=str(model) if model else None)
    text = said(_mapping(choice.get("message")).get("content"))
    usage = _mapping(output.get("usage"))
    reason = str(choice.get("stop_reason") or "")
    return Reply(
        text=None if text is None else _whole_text(text, kept),
        finish_reason=_CUT_OFF.get(reason, reason) or None,
        model=str(model) if model else None,
        prompt_tokens=whole(usage.get("input_tokens")),
        completion_tokens=whole(usage.get("output_tokens")),
        latency_s=number(output.get("time")),
    )


def _attached(message: Message, kept: Mapping[str, object]) -> Message:
    text = _whole_text(message.content, kept)
    return message if text is message.content else Message(role=message.role, content=storable(text))


def _whole_text(text: str, kept: Mapping[str, object]) -> str:
    """The text, or what it refers to: Inspect keeps long texts apart."""
    if not text.startswith(_ATTACHED):
        return text
    found = kept.get(text.removeprefix(_ATTACHED))
    if not isinstance(found, str):
        raise UnreadableError(f"refers to {cut(text)}, which the log does not hold")
    return found


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}
