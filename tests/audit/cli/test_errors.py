"""Every failure a user can cause: exit code 2, one line a problem, no traceback, and nothing half-written."""

from pathlib import Path

import pytest

from tests.audit.cli.conftest import SPEC, Command, Ended


def problems(ended: Ended) -> list[str]:
    """The lines that say what is wrong, of a command that ended with 2, printed no data and did not crash."""
    assert ended.code == 2, ended
    assert "Traceback" not in ended.err
    assert ended.out == ""
    *_, last = ended.err.splitlines()
    assert last.startswith("next: "), ended.err
    assert len(last) > len("next: ")
    return [line for line in ended.err.splitlines() if line.startswith("error: ")]


def problem(ended: Ended) -> str:
    """The one line that says what is wrong."""
    (line,) = problems(ended)
    return line


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("seed: 7", "seed: x", "spec.yaml: seed: Input should be a valid integer"),
        ("seed: 7", "sead: 7", "spec.yaml: sead: unknown key; accepted: version, name, seed"),
        ("seed: 7", "name: again", "spec.yaml: not valid YAML: key 'name' is given twice (line 3)"),
        (
            "public/table",
            "public/tabel",
            "spec.yaml: probes[0].use: unknown name 'public/tabel'; accepted: bias",
        ),
        ("[decision]", "[decisions]", "spec.yaml: analyzers[0].use: unknown name 'decisions'; accepted: "),
        (
            "type: recorded",
            "type: tape",
            "spec.yaml: target.type: unknown name 'tape'; accepted: ",
        ),
        ("asked.csv", "absent.csv", "absent.csv"),
        ("options: options", "options: choices", "choices"),
        (
            "prompt: prompt,",
            "prompt: prompt, colour: x,",
            "probes[0].colour: unknown key; accepted: ",
        ),
        (
            "by: source_id",
            "by: rowid",
            "target.by: Input should be 'prompt_id', 'source_id', 'prompt_text'",
        ),
        ("path: said.jsonl", "path: silent.jsonl", "silent.jsonl: no such file"),
        (
            "by: source_id",
            "by: source_id, text: reply",
            "missing column reply; columns present: prompt_id, text",
        ),
    ],
)
def test_mistake_in_the_spec_is_one_line(
    evenhand: Command, home: Path, old: str, new: str, says: str
) -> None:
    """Whatever part of the spec is wrong, one line names the place, the value and what is accepted."""
    (home / "spec.yaml").write_text(SPEC.replace(old, new))
    assert says in problem(evenhand("run", "spec.yaml", "--out", "runs/a"))
    assert not (home / "runs" / "a" / "findings.json").exists()


def test_two_mistakes_are_two_lines(evenhand: Command, home: Path) -> None:
    """All problems of a spec are said at once."""
    (home / "spec.yaml").write_text(SPEC.replace("seed: 7", "seed: x\nrepeats: 0"))
    first, second = problems(evenhand("plan", "spec.yaml"))
    assert "spec.yaml: seed: " in first + second
    assert "spec.yaml: repeats: " in first + second


@pytest.mark.parametrize("command", ["plan", "run", "doctor", "targets check"])
def test_missing_spec_is_one_line(evenhand: Command, command: str) -> None:
    """A spec that is not there is named, with how to write one."""
    out = ["--out", "runs/a"] if command == "run" else []
    ended = evenhand(*command.split(), "absent.yaml", *out)
    assert "absent.yaml: no such spec file" in problem(ended)
    assert "next: evenhand init" in ended.err


@pytest.mark.parametrize("command", ["resume", "score", "findings", "report", "retrain"])
def test_missing_run_is_one_line(evenhand: Command, command: str) -> None:
    """A folder without a run is named by every command that needs one."""
    assert "nowhere: holds no run" in problem(evenhand(command, "nowhere"))


def test_report_before_findings_says_what_to_type(evenhand: Command) -> None:
    """Stages out of order are told the missing one."""
    assert evenhand("plan", "spec.yaml", "--out", "runs/a").code == 0
    ended = evenhand("report", "runs/a")
    assert "no findings yet" in problem(ended)
    assert "next: evenhand findings runs/a" in ended.err


@pytest.mark.parametrize(
    ("words", "step"),
    [
        (
            ("analyzers", "check", "toxicity", "--labels", "l.csv", "--option", "x"),
            "evenhand analyzers check --help",
        ),
        (
            ("analyzers", "check", "toxicity", "--labels", "l.csv", "--options", "own.yaml"),
            "then: evenhand analyzers check toxicity --labels l.csv --options own.yaml",
        ),
        (("run", "wrong.yaml", "--out", "r"), "correct wrong.yaml, then: evenhand plan wrong.yaml"),
        (("run", "silent.yaml", "--out", "r"), "then: evenhand run silent.yaml --out r"),
        (("retrain", "done", "--to", "none"), "evenhand retrain --help"),
        (("review", "done", "--export", "x.csv"), "evenhand review done --export x.csv --analyzer decision"),
        (("review", "done", "--export", "x.csv", "--import", "y.csv"), "evenhand review done --import y.csv"),
        (("review", "done", "--adjudicate"), "evenhand review done --import FILE --reviewer NAME"),
        (("findings", "broken"), "put a copy of the run in its place"),
    ],
)
def test_every_failure_ends_with_what_to_do_next(
    evenhand: Command, home: Path, words: tuple[str, ...], step: str
) -> None:
    """Also an error that names no step of its own says what gets the user on."""
    attacks = SPEC.replace("probes: [", "probes: [{use: safety/harmful}, ")
    (home / "wrong.yaml").write_text(attacks)
    (home / "own.yaml").write_text("nothing: 1\n")
    (home / "silent.yaml").write_text(SPEC.replace("said.jsonl", "silent.jsonl"))
    if "done" in words or "broken" in words:
        assert evenhand("plan", "spec.yaml", "--out", words[1]).code == 0
    if "broken" in words:
        (home / "broken" / "run.sqlite").write_bytes(b"SQLite format 3" + bytes(4000))
    ended = evenhand(*words)
    problem(ended)
    assert step in ended.err.splitlines()[-1]


def test_unreachable_host_is_one_line(evenhand: Command, home: Path) -> None:
    """Nobody listens on the discard port: the run ends with 2, the address and the command that goes on."""
    target = "{type: openai, base_url: http://127.0.0.1:9/v1, model: m}"
    (home / "spec.yaml").write_text(SPEC.replace("{type: recorded, path: said.jsonl, by: source_id}", target))
    ended = evenhand("run", "spec.yaml", "--out", "runs/a")
    assert "127.0.0.1:9" in problem(ended)
    assert ended.err.rstrip().endswith("next: evenhand resume runs/a")


def test_attack_without_authorisation_is_one_line(evenhand: Command, home: Path) -> None:
    """An attack probe asks for a name before anything is planned."""
    (home / "spec.yaml").write_text(
        "version: 1\nname: a\ntarget: {type: specimen}\n"
        "probes: [{use: safety/harmful}]\nanalyzers: [refusal]\n"
    )
    assert "authorised_by is required" in problem(evenhand("run", "spec.yaml", "--out", "runs/a"))
    assert not (home / "runs").exists()


def test_changed_spec_in_the_same_folder_is_refused(evenhand: Command, home: Path) -> None:
    """Going on with another spec would mix two audits: the lines that differ are shown."""
    assert evenhand("run", "spec.yaml", "--out", "runs/a").code == 0
    (home / "spec.yaml").write_text(SPEC.replace("seed: 7", "seed: 8"))
    ended = evenhand("run", "spec.yaml", "--out", "runs/a")
    first, *others = problems(ended)
    assert ("they differ in" in first, len(others)) == (True, 2)
    assert "now: seed: 8" in ended.err


def test_runs_that_cannot_be_compared_end_with_3(evenhand: Command, home: Path) -> None:
    """Different questions have no difference."""
    evenhand("run", "spec.yaml", "--out", "runs/a")
    (home / "asked.csv").write_text("prompt,options,right\n" + "Hire this one?,yes|no,yes\n" * 1)
    evenhand("run", "spec.yaml", "--out", "runs/b")
    ended = evenhand("compare", "runs/a", "runs/b")
    assert ended.code == 3
    assert "not comparable: the runs before and after asked different prompts" in ended.err


def test_folder_that_may_not_be_written_is_one_line(evenhand: Command, locked: Path) -> None:
    """A read-only place is named before anything is asked."""
    assert "locked/a: cannot be made: " in problem(evenhand("run", "spec.yaml", "--out", "locked/a"))
    assert list(locked.iterdir()) == []


def test_place_that_is_a_file_is_one_line(evenhand: Command, home: Path) -> None:
    """A run cannot live below a file."""
    (home / "file").write_text("x")
    assert "file/a: cannot be made: Not a directory" in problem(
        evenhand("run", "spec.yaml", "--out", "file/a")
    )


def test_init_leaves_a_file_alone(evenhand: Command, home: Path) -> None:
    """A spec that is there is never overwritten."""
    assert "spec.yaml: exists already" in problem(evenhand("init", "--out", "spec.yaml"))
    assert (home / "spec.yaml").read_text() == SPEC


def test_doctor_says_what_is_wrong_and_contacts_nothing(evenhand: Command, home: Path) -> None:
    """A healthy spec ends with 0; a missing key or file is marked, and ends with 2."""
    assert evenhand("doctor", "spec.yaml").code == 0
    ended = evenhand("doctor", "--network", "spec.yaml")
    assert ended.code == 0
    assert "target: none" in ended.err
    (home / "said.jsonl").unlink()
    ended = evenhand("doctor", "spec.yaml")
    assert ended.code == 2
    assert "PROBLEM targets: spec.yaml: target: " in ended.err
    assert "--network needs a SPEC" in problem(evenhand("doctor", "--network"))
    key = "{type: openai, base_url: http://127.0.0.1:9/v1, model: m, api_key_env: NO_SUCH_KEY_HERE}"
    (home / "spec.yaml").write_text(SPEC.replace("{type: recorded, path: said.jsonl, by: source_id}", key))
    ended = evenhand("doctor", "spec.yaml")
    assert ended.code == 2
    assert "PROBLEM key NO_SUCH_KEY_HERE: is not set in the environment" in ended.err


def test_targets_check_reports_each_answer(evenhand: Command, home: Path) -> None:
    """What a target can do is told, and a host that is not there ends with 2."""
    target = "{type: openai, base_url: http://127.0.0.1:9/v1, model: m}"
    (home / "spec.yaml").write_text(SPEC.replace("{type: recorded, path: said.jsonl, by: source_id}", target))
    ended = evenhand("targets", "check", "spec.yaml")
    assert ended.code == 2
    assert "target: failed: " in ended.err
    (home / "spec.yaml").write_text(
        SPEC.replace("{type: recorded, path: said.jsonl, by: source_id}", "{type: specimen}")
    )
    ended = evenhand("targets", "check", "spec.yaml", "--once")
    assert ended.code == 0
    assert "target: answered " in ended.err
    assert "seed: not tried" in ended.err


def test_catalogue_lists_shows_and_checks(evenhand: Command) -> None:
    """What is installed can be listed and looked at, and an unknown name is one line."""
    for kind in ("probes", "targets", "analyzers"):
        assert evenhand(kind, "list").code == 0
        assert evenhand(kind, "list", "--json").out.startswith("[")
    assert evenhand("probes", "show", "safety/benign", "--prompts", "1").code == 0
    assert evenhand("probes", "show", "public/bbq", "--prompts", "0").code == 0
    assert evenhand("probes", "check", "safety/benign").code == 0
    assert evenhand("analyzers", "show", "decision").code == 0
    assert "unknown name 'bias/nothing'; accepted: " in problem(evenhand("probes", "show", "bias/nothing"))
    assert "unknown name 'nothing'; accepted: " in problem(evenhand("analyzers", "show", "nothing"))
    shown = evenhand("probes", "show", "public/bbq")
    assert shown.code == 0
    assert "needs in a spec: path" in shown.err


def test_numbers_that_are_none_are_one_line(evenhand: Command, home: Path) -> None:
    """Options outside their range are refused before anything is made."""
    ended = evenhand("quick", "http://127.0.0.1:9/v1", "--model", "m", "--minutes", "nan", "--out", "runs/q")
    assert "limits.minutes: Input should be a finite number" in problem(ended)
    ended = evenhand("retrain", "runs/q", "--max-examples", "1000001")
    assert (ended.code, "Traceback" in ended.err) == (2, False)
    assert not (home / "runs").exists()
