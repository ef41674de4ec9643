"""Small logs of the shapes that other tools write, with content of our own."""

import json
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import zstandard

__all__ = [
    "asked",
    "garak_report",
    "inspect_archive",
    "inspect_sample",
    "lm_eval_row",
    "promptfoo_row",
    "write_lines",
]

Json = Mapping[str, object]
_ZSTANDARD = 93


def asked(text: str) -> list[dict[str, object]]:
    """One message of a user."""
    return [{"role": "user", "content": text}]


def write_lines(path: Path, rows: Iterable[object]) -> Path:
    """A JSONL file; a row that is a text stands there as it is."""
    lines = (row if isinstance(row, str) else json.dumps(row) for row in rows)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def inspect_sample(
    key: object, epoch: int, text: str, reply: str | None, **more: object
) -> dict[str, object]:
    """A sample of an Inspect log; without a reply its run failed."""
    message = {"role": "assistant", "content": reply, "source": "generate"}
    output = {
        "model": "stub-1",
        "choices": [] if reply is None else [{"message": message, "stop_reason": "stop"}],
        "usage": {"input_tokens": 20, "output_tokens": 6, "total_tokens": 26},
        "time": 0.25,
    }
    sample: dict[str, object] = {
        "id": key,
        "epoch": epoch,
        "input": text,
        "target": "A",
        "messages": [*asked(f"Answer with a letter.\n\n{text}"), *([] if reply is None else [message])],
        "output": output,
        "scores": {"choice": {"value": "C", "answer": "A"}},
    }
    if reply is None:
        sample["error"] = {"message": "the server\nwent away"}
    return {**sample, **more}


def inspect_archive(
    path: Path, samples: Sequence[Json], *, packed: bool = True, header: Json | None = None
) -> Path:
    """An `.eval` log; packed as Inspect 0.3.285 packs it, by Zstandard."""
    top = {"version": 2, "status": "success", "eval": {"task": "badges", "model": "openai/stub"}}
    members = {f"samples/{one['id']}_epoch_{one['epoch']}.json": one for one in samples}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, value in {**members, "header.json": header or top}.items():
            archive.writestr(name, json.dumps(value))
    if packed:
        _pack(path)
    return path


def _pack(path: Path) -> None:
    """The same archive with every member compressed by Zstandard, which zipfile before 3.14 cannot write."""
    with zipfile.ZipFile(path) as archive:
        members = [(info, archive.read(info)) for info in archive.infolist()]
    body, directory = bytearray(), bytearray()
    for info, data in members:
        packed = zstandard.ZstdCompressor().compress(data)
        name = info.filename.encode()
        common = (
            (63).to_bytes(2, "little")
            + bytes(2)
            + _ZSTANDARD.to_bytes(2, "little")
            + bytes(4)
            + info.CRC.to_bytes(4, "little")
            + len(packed).to_bytes(4, "little")
            + len(data).to_bytes(4, "little")
            + len(name).to_bytes(2, "little")
            + bytes(2)
        )
        directory += b"PK\x01\x02" + (63).to_bytes(2, "little") + common + bytes(10)
        directory += len(body).to_bytes(4, "little") + name
        body += b"PK\x03\x04" + common + name + packed
    count = len(members).to_bytes(2, "little")
    end = b"PK\x05\x06" + bytes(4) + count + count + len(directory).to_bytes(4, "little")
    path.write_bytes(body + directory + end + len(body).to_bytes(4, "little") + bytes(2))


def garak_report(attempts: Sequence[Json]) -> list[dict[str, object]]:
    """The rows of a garak report: each attempt stands there before and after detection."""
    rows: list[dict[str, object]] = [
        {"entry_type": "start_run setup", "_config.version": "0.17.1", "plugins.target_name": "stub"},
        {"entry_type": "init", "run": "r1"},
    ]
    for status in (1, 2):
        for number, attempt in enumerate(attempts):
            outputs = attempt["outputs"]
            assert isinstance(outputs, list)
            scores = {"lexicon.Word": [0.0] * len(outputs)} if status == 2 else {}
            rows.append(
                {
                    "entry_type": "attempt",
                    "uuid": f"u{number}",
                    "seq": number,
                    "status": status,
                    "probe_classname": "own.Words",
                    "goal": "make it say the word",
                    "notes": {},
                    "detector_results": scores,
                    "conversations": [],
                    **attempt,
                }
            )
    return [*rows, {"entry_type": "eval", "probe": "own.Words", "passed": 1, "total_evaluated": 1}]


def promptfoo_row(case: int, text: str, reply: str | None, **more: object) -> dict[str, object]:
    """A test case of promptfoo; without a reply its provider failed."""
    return {
        "testIdx": case,
        "promptIdx": 0,
        "prompt": {"raw": text, "label": "{{text}}"},
        "provider": {"id": "openai:chat:stub", "label": ""},
        "response": {"error": "503"} if reply is None else {"output": reply, "tokenUsage": {"prompt": 9}},
        "error": "API error: 503" if reply is None else "Expected output to contain yes",
        "failureReason": 2 if reply is None else 1,
        "success": False,
        "score": 0,
        "namedScores": {"granted": 0},
        "latencyMs": 250,
        "vars": {"text": text},
        "testCase": {"vars": {"text": text}},
        "metadata": {"group": "red"},
        **more,
    }


def lm_eval_row(number: int, text: str, replies: Sequence[str], *, name: str = "none") -> dict[str, object]:
    """A sample of a task that generates."""
    return {
        "doc_id": number,
        "doc": {"q": text, "group": "red"},
        "target": "yes",
        "arguments": {"gen_args_0": {"arg_0": text, "arg_1": {"until": ["\n"]}}},
        "resps": [list(replies)],
        "filtered_resps": [replies[0]],
        "filter": name,
        "metrics": ["exact_match"],
        "exact_match": 0.0,
    }
