"""Logs of other tools through the whole command: what they hold is found, and what is lost is said."""

import json
from pathlib import Path

import yaml

from tests.audit.cli.conftest import Command
from tests.probes.public.logs.shapes import inspect_archive, inspect_sample, promptfoo_row, write_lines

LOG = {
    "version": 1,
    "name": "badges",
    "target": {"type": "recorded", "path": "badges.eval"},
    "repeats": 2,
    "probes": [
        {
            "use": "public/log",
            "path": "badges.eval",
            "template": "metadata.desk",
            "set": "metadata.pair",
            "group": "metadata.group",
            "answer": "target",
            "fixed": {
                "attribute": "badge",
                "reference": "red",
                "options": ["A", "B"],
                "favourable": "A",
                "signal": "explicit",
                "norm": "must_not_differ",
            },
        }
    ],
    "analyzers": ["decision"],
}


def _samples() -> list[dict[str, object]]:
    """Sixteen desks where blue is let in at every other one only, and red always; one sample failed."""
    return [
        inspect_sample(
            f"{group}-{desk}-{visit}",
            epoch,
            f"A {group} visitor asks at desk {desk}, {visit}.",
            None
            if (group, desk, visit, epoch) == ("blue", 0, 1, 2)
            else f"ANSWER: {'B' if group == 'blue' and desk % 2 else 'A'}",
            metadata={"group": group, "desk": desk, "pair": f"{desk}/{visit}"},
        )
        for epoch in (1, 2)
        for desk in range(16)
        for visit in range(2)
        for group in ("blue", "red")
    ]


def test_an_inspect_log_gives_a_disparity_over_its_templates(home: Path, evenhand: Command) -> None:
    """What a log holds is compared group by group, clustered by what its metadata say is one wording."""
    inspect_archive(home / "badges.eval", _samples())
    (home / "log.yaml").write_text(yaml.safe_dump(LOG))
    ended = evenhand("run", "log.yaml", "--out", "run")
    assert ended.code == 0
    assert "planned 128 = answered 127 + refused 0 + truncated 0 + empty 0 + errored 1" in ended.err
    found = json.loads(evenhand("findings", "run", "--all", "--json").out)
    (gap,) = [
        one for one in found["findings"] if one["measure"] == "favourable_rate" and one["kind"] != "rate"
    ]
    assert (gap["group"], gap["estimate"], gap["n_clusters"]) == ("blue", -0.5, 16)
    assert gap["verdict"] == "disparity"
    assert gap["ci_high"] < -0.15
    (correct,) = [one for one in found["findings"] if one["measure"] == "correct_rate"]
    assert correct["n_outputs"] == 127
    written = json.loads((home / "run" / "findings.json").read_text())
    assert written["targets"]["target"]["format"] == "inspect (recognised)"


def test_a_plan_that_another_tool_asked_is_joined_by_text(home: Path, evenhand: Command) -> None:
    """Prompts without a reply are errored and told, and so are replies that fit no prompt."""
    rows = [promptfoo_row(n, f"Lend to client {n}?", "yes") for n in range(20)]
    write_lines(home / "results.jsonl", [*rows, "{damaged", promptfoo_row(99, "Something else?", "no")])
    spec = yaml.safe_load((home / "spec.yaml").read_text())
    spec |= {
        "target": {"type": "recorded", "path": "results.jsonl", "by": "prompt_text"},
        "limits": {"error_rate": 1.0},
    }
    (home / "join.yaml").write_text(yaml.safe_dump(spec))
    ended = evenhand("run", "join.yaml", "--out", "joined")
    assert ended.code == 0
    assert "planned 24 = answered 20 + refused 0 + truncated 0 + empty 0 + errored 4" in ended.err


def test_what_is_lost_reaches_the_terminal(home: Path, process: Command) -> None:
    """The command itself, as people start it, prints the lines of damaged rows and of what did not fit."""
    write_lines(home / "results.jsonl", [promptfoo_row(0, "Lend to client 0?", "yes"), "{damaged"])
    spec = yaml.safe_load((home / "spec.yaml").read_text())
    spec |= {
        "target": {"type": "recorded", "path": "results.jsonl", "by": "prompt_text"},
        "limits": {"error_rate": 1.0},
    }
    (home / "join.yaml").write_text(yaml.safe_dump(spec))
    ended = process("run", "join.yaml", "--out", "joined")
    assert "results.jsonl: 1 of 2 rows could not be read" in ended.err
    assert "results.jsonl: row 2: is not JSON" in ended.err
    assert "23 of the 24 outputs asked for now had no recorded reply" in ended.err


def test_mistakes_in_a_spec_of_a_log_are_one_line(home: Path, evenhand: Command) -> None:
    """A file that is no log, or a fact that is not there, ends with exit code 2 and says where."""
    inspect_archive(home / "badges.eval", _samples()[:4])
    wrong = {**LOG, "probes": [{"use": "public/log", "path": "badges.eval", "template": "metadata.shelf"}]}
    (home / "log.yaml").write_text(yaml.safe_dump(wrong))
    ended = evenhand("run", "log.yaml", "--out", "run")
    assert ended.code == 2
    assert "row 1: missing column 'metadata.shelf'" in ended.err
    wrong = {**LOG, "probes": [{"use": "public/log", "path": "asked.csv"}]}
    (home / "log.yaml").write_text(yaml.safe_dump(wrong))
    ended = evenhand("run", "log.yaml", "--out", "run")
    assert ended.code == 2
    assert "its format is not recognised; give format" in ended.err
