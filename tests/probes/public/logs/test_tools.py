"""Logs of Inspect, garak, promptfoo and lm-evaluation-harness: what stands in them comes out, and no more."""

import json
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from probes.errors import DataError
from probes.public.logs.entries import LogEntry, Problem
from probes.public.logs.formats import open_log
from probes.records import Message
from tests.probes.public.logs.shapes import (
    asked,
    garak_report,
    inspect_archive,
    inspect_sample,
    lm_eval_row,
    promptfoo_row,
    write_lines,
)


def _read(path: Path, expected: str) -> tuple[list[LogEntry], list[Problem]]:
    """Entries and problems of a log whose format must be recognised."""
    log = open_log(path)
    assert log.named == f"{expected} (recognised)"
    found = list(log.entries())
    entries = [one for one in found if isinstance(one, LogEntry)]
    return entries, [one for one in found if isinstance(one, Problem)]


def _asked(text: str) -> tuple[Message, ...]:
    return (Message(role="user", content=text),)


@pytest.mark.parametrize("packed", [True, False])
def test_an_inspect_archive_gives_what_was_sent_and_what_came_back(tmp_path: Path, packed: bool) -> None:  # noqa: FBT001 - parametrised
    """Either compression is read; epochs are repeats, a solver's frame is part of what was asked."""
    samples = [
        inspect_sample("q1", 1, "Who may enter?", "ANSWER: A", metadata={"group": "red"}),
        inspect_sample("q1", 2, "Who may enter?", "ANSWER: B"),
        inspect_sample(2, 1, "Who may leave?", None),
    ]
    entries, problems = _read(inspect_archive(tmp_path / "log.eval", samples, packed=packed), "inspect")
    assert not problems
    assert [(one.id, one.repeat, one.task) for one in entries] == [
        ("q1", 0, "badges"),
        ("q1", 1, "badges"),
        ("2", 0, "badges"),
    ]
    assert entries[0].messages == _asked("Answer with a letter.\n\nWho may enter?")
    first, failed = entries[0].reply, entries[2].reply
    assert (first.text, first.model, first.finish_reason) == ("ANSWER: A", "stub-1", "stop")
    assert (first.prompt_tokens, first.completion_tokens, first.latency_s) == (20, 6, 0.25)
    assert (failed.text, failed.error) == (None, "the server\nwent away")
    assert entries[0].facts["metadata"] == {"group": "red"}


def test_an_inspect_document_is_read_without_holding_it(tmp_path: Path) -> None:
    """The JSON form gives the same entries, and what follows a damaged place is said to be lost."""
    samples = [inspect_sample(f"q{i}", 1, f"Case {i}", "yes " * 20_000) for i in range(4)]
    top = {"version": 2, "status": "success", "eval": {"task": "badges"}, "samples": samples}
    whole = json.dumps(top)
    (tmp_path / "log.json").write_text(whole, encoding="utf-8")
    entries, problems = _read(tmp_path / "log.json", "inspect")
    assert [one.id for one in entries] == ["q0", "q1", "q2", "q3"]
    assert not problems
    (tmp_path / "cut.json").write_text(whole[: int(len(whole) * 0.7)], encoding="utf-8")
    entries, problems = _read(tmp_path / "cut.json", "inspect")
    assert [one.id for one in entries] == ["q0", "q1"]
    assert problems[0].row == 3
    assert "what follows it is lost" in problems[0].what


def test_long_texts_and_tools_of_inspect(tmp_path: Path) -> None:
    """Texts kept apart are put back; where tools answered, the sample's input is what can be asked."""
    apart = inspect_sample("a", 1, "x", "attachment://k1", attachments={"k1": "the long reply"})
    lost = inspect_sample("b", 1, "x", "attachment://gone")
    tool = inspect_sample("c", 1, "Look it up.", "It is so.")
    tool["messages"] = [*asked("Look it up."), {"role": "tool", "content": "found"}, *asked("and?")]
    picture = inspect_sample(
        "d", 1, "x", "y", input=[{"role": "user", "content": [{"type": "image"}]}], messages=[]
    )
    cut = inspect_sample("e", 1, "x", "y")
    cut["output"] = {
        "choices": [
            {"message": {"content": [{"type": "reasoning", "reasoning": "hm"}]}, "stop_reason": "max_tokens"}
        ]
    }
    path = inspect_archive(tmp_path / "log.eval", [apart, lost, tool, picture, cut])
    entries, problems = _read(path, "inspect")
    assert [one.reply.text for one in entries] == ["the long reply", "It is so.", None]
    assert entries[1].messages == _asked("Look it up.")
    assert entries[2].reply.finish_reason == "length"
    assert [one.row for one in problems] == [2, 4]
    assert "attachment://gone" in problems[0].what
    assert "'image'" in problems[1].what


def test_damaged_inspect_archives(tmp_path: Path) -> None:
    """A damaged member is one problem, and what is no log at all is refused by name."""
    path = inspect_archive(
        tmp_path / "log.eval", [inspect_sample("a", 1, "x", "y"), inspect_sample("b", 1, "x", "y")]
    )
    body = bytearray(path.read_bytes())
    body[body.index(b"samples/b_epoch_1.json") + 60] ^= 0xFF
    path.write_bytes(body)
    entries, problems = _read(path, "inspect")
    assert [one.id for one in entries] == ["a"]
    assert "damaged" in problems[0].what
    newer, locked = bytearray(body), bytearray(body)
    newer[body.index(b"PK\x01\x02") + 6] = 0x7F  # A version of the format that nobody has written yet.
    locked[body.index(b"PK\x01\x02") + 8] |= 1  # The first member says that it is encrypted.
    (tmp_path / "newer.eval").write_bytes(newer)
    (tmp_path / "locked.eval").write_bytes(locked)
    entries, problems = _read(tmp_path / "locked.eval", "inspect")
    assert not entries
    assert [one.row for one in problems] == [1, 2]
    (tmp_path / "half.eval").write_bytes(body[: len(body) // 2])
    with zipfile.ZipFile(tmp_path / "other.eval", "w") as archive:
        archive.writestr("readme.txt", "hello")
    old = inspect_archive(tmp_path / "old.eval", [], header={"version": 1})
    for name, said in (
        ("half.eval", "no complete archive"),
        ("newer.eval", "an archive of a kind that is not read: 'zip file version 12.7'"),
        ("other.eval", "no header.json"),
        (old.name, "version must be 2; got 1"),
    ):
        with pytest.raises(DataError, match=said):
            list(open_log(tmp_path / name).entries())


def test_a_member_that_claims_to_be_huge_is_not_unpacked(tmp_path: Path) -> None:
    """A sample larger than any reply is a problem, whatever its packed size."""
    path = tmp_path / "bomb.eval"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("header.json", json.dumps({"version": 2, "eval": {}}))
        with archive.open("samples/x_epoch_1.json", "w", force_zip64=True) as member:
            for _ in range(257):
                member.write(bytes(2**20))
    (problem,) = open_log(path).entries()
    assert isinstance(problem, Problem)
    assert "bytes unpacked" in problem.what


def test_garak_attempts_give_every_output(tmp_path: Path) -> None:
    """Outputs are repeats, the score of each detector stands beside its own output, and None is no reply."""
    turns = {
        "turns": [
            {"role": "system", "content": {"text": "Be kind."}},
            {"role": "user", "content": {"text": "Say it"}},
        ]
    }
    attempts: list[dict[str, object]] = [
        {
            "prompt": turns,
            "outputs": [{"text": "no"}, None],
            "detector_results": {"lexicon.Word": [0.0, 1.0]},
        },
        {"prompt": "Say it, of old", "outputs": ["word"]},
    ]
    entries, problems = _read(write_lines(tmp_path / "g.report.jsonl", garak_report(attempts)), "garak")
    assert not problems
    assert [(one.id, one.repeat) for one in entries] == [("u0", 0), ("u0", 1), ("u1", 0)] * 2
    assert entries[0].messages[0] == Message(role="system", content="Be kind.")
    assert entries[1].reply.error == "garak recorded no output"
    assert entries[4].facts["detector_results"] == {"lexicon.Word": 1.0}
    assert (entries[2].messages, entries[2].reply.text) == (_asked("Say it, of old"), "word")
    assert {one.reply.model for one in entries} == {"stub"}
    assert entries[0].task == "own.Words"


def test_turns_that_differ_between_outputs_are_prompts_of_their_own(tmp_path: Path) -> None:
    """Of an adaptive attack every output answers the conversation that led to it."""

    def turn(role: str, text: str) -> dict[str, object]:
        return {"role": role, "content": {"text": text}}

    talk = {"turns": [turn("user", "a"), turn("assistant", "b"), turn("user", "c"), turn("assistant", "d")]}
    attempt = {"prompt": {"turns": [turn("user", "a")]}, "outputs": [{"text": "d"}], "conversations": [talk]}
    entries, _ = _read(write_lines(tmp_path / "g.report.jsonl", garak_report([attempt])), "garak")
    assert (entries[0].id, entries[0].repeat) == ("u0/0", 0)
    assert [one.content for one in entries[0].messages] == ["a", "b", "c"]


def test_garak_hits(tmp_path: Path) -> None:
    """A hit log is told from a report, and its hits are read."""
    hit: dict[str, object] = {
        "goal": "g",
        "prompt": {"turns": [{"role": "user", "content": {"text": "p"}}]},
        "output": {"text": "o"},
    }
    hit |= {
        "attempt_id": "u1",
        "attempt_idx": 2,
        "detector": "d.E",
        "score": 1.0,
        "generator": "x y",
        "probe": "a.B",
    }
    entries, problems = _read(write_lines(tmp_path / "h.jsonl", [hit, {**hit, "prompt": None}]), "garak_hits")
    assert (entries[0].id, entries[0].repeat, entries[0].reply.text) == ("u1", 2, "o")
    assert [one.row for one in problems] == [2]


@pytest.mark.parametrize("name", ["results.json", "results.jsonl"])
def test_promptfoo_tells_a_failed_assertion_from_a_failed_call(tmp_path: Path, name: str) -> None:
    """An assertion that did not hold is no error of the model; a provider's failure is one."""
    chat = json.dumps([{"role": "system", "content": "Be brief."}, *asked("Enter?")])
    rows = [
        promptfoo_row(0, "Enter?", "No."),
        promptfoo_row(1, chat, None),
        promptfoo_row(2, "Enter?", "x", response={"output": {"answer": "ja"}}),
        {"testIdx": 3},
    ]
    path = tmp_path / name
    if name.endswith("l"):
        write_lines(path, rows)
    else:
        top = {
            "evalId": "e",
            "results": {"version": 3, "prompts": [{}], "results": rows, "stats": {}},
            "config": {},
        }
        path.write_text(json.dumps(top, indent=1), encoding="utf-8")
    entries, problems = _read(path, "promptfoo")
    assert [one.id for one in entries] == ["0/0", "1/0", "2/0"]
    assert [one.reply.text for one in entries] == ["No.", None, '{"answer": "ja"}']
    assert [one.reply.error for one in entries] == [None, "503", None]
    assert [one.role for one in entries[1].messages] == ["system", "user"]
    assert (entries[0].reply.latency_s, entries[0].reply.prompt_tokens) == (0.25, 9)
    assert [(one.row, one.what) for one in problems] == [(4, "test case cannot be read: lacks 'prompt'")]


def test_lm_eval_texts_and_likelihoods(tmp_path: Path) -> None:
    """A task that generates gives its texts; one that compares gives the likeliest continuation."""
    chat = lm_eval_row(1, "x", ["no"])
    chat["arguments"] = {"gen_args_0": {"arg_0": [json.dumps(asked("Leave?"))], "arg_1": {}}}
    compared = lm_eval_row(2, "x", [""])
    compared["arguments"] = [["Enter?", " yes"], ["Enter?", " no"]]
    compared["resps"] = [[["-2.5", "False"]], [["-0.5", "False"]]]
    alone = {**compared, "arguments": [["Enter?", " yes"]], "resps": [[["-2.5", "False"]]]}
    rows = [lm_eval_row(0, "Enter?", ["yes", "no"]), chat, compared, alone]
    path = write_lines(tmp_path / "samples_badge_gen_2026-11-26T04-44-23.228595.jsonl", rows)
    entries, problems = _read(path, "lm_eval")
    assert [(one.id, one.repeat, one.reply.text) for one in entries] == [
        ("0", 0, "yes"),
        ("0", 1, "no"),
        ("1", 0, "no"),
        ("2", 0, "no"),
    ]
    assert entries[2].messages == _asked("Leave?")
    assert {one.task for one in entries} == {"badge_gen"}
    assert "is no reply" in problems[0].what


def test_a_file_that_fits_two_tools_is_refused(tmp_path: Path) -> None:
    """Which reader is meant is never guessed; the spec says it."""
    rows: Sequence[object] = [lm_eval_row(0, "x", ["y"]), *garak_report([])]
    path = write_lines(tmp_path / "both.jsonl", rows)
    with pytest.raises(DataError, match=r"fits several formats, garak, lm_eval; say which with format"):
        open_log(path)
    assert open_log(path, format="garak").named == "garak"
