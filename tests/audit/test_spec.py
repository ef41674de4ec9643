"""The spec: every mistake is one line that names file, key, value received and what is accepted."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.errors import SpecError
from audit.spec import Spec, dump_spec, load_spec, parse_spec

GOOD = """\
version: 1
name: audit
target: {type: specimen}
probes:
  - use: bias/decisions
    domains: [lending]
analyzers: [decision, {use: refusal}]
"""


def problems(text: str) -> list[str]:
    """The lines of what is wrong with a text."""
    with pytest.raises(SpecError) as caught:
        parse_spec(text, "spec.yaml")
    return str(caught.value).splitlines()


def test_defaults_are_filled_in_and_options_belong_to_plug_ins() -> None:
    """A short spec is complete; keys of a plug-in are kept for it."""
    spec = parse_spec(GOOD, "spec.yaml")
    assert (spec.seed, spec.repeats, spec.baseline, spec.gate) == (0, 1, None, ())
    assert spec.judgement.smallest_disparity_of_concern == 0.05
    assert spec.limits.error_rate == 0.2
    assert spec.probes[0].options() == {"domains": ["lending"]}
    assert [analyzer.use for analyzer in spec.analyzers] == ["decision", "refusal"]
    assert spec.target.options() == {}


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ("seed: -1", "spec.yaml: seed: Input should be greater than or equal to 0; got -1"),
        ("seed: seven", "spec.yaml: seed: Input should be a valid integer"),
        ("repeats: 0", "spec.yaml: repeats: Input should be greater than or equal to 1; got 0"),
        ("repeats: 1.5", "spec.yaml: repeats: Input should be a valid integer"),
        ("judgement: {level: 95}", "spec.yaml: judgement.level: Input should be less than 1; got 95"),
        (
            "judgement: {level: 0.05}",
            "spec.yaml: judgement.level: Input should be greater than 0.5; got 0.05",
        ),
        ("judgement: {level: .nan}", "spec.yaml: judgement.level: Input should be a finite number; got nan"),
        ("limits: {error_rate: 2}", "spec.yaml: limits.error_rate: Input should be less than or equal to 1"),
        (
            "judgement: {rate_limits: {toxicity_rate: yes}}",
            "spec.yaml: judgement.rate_limits.toxicity_rate: must be a number; YAML reads yes, no, on and",
        ),
        (
            "judgement: {margins: {list_rank: on}}",
            "spec.yaml: judgement.margins.list_rank: must be a number",
        ),
        ("limits: {minutes: on}", "spec.yaml: limits.minutes: must be a number"),
        ("repeats: true", "spec.yaml: repeats: must be a number"),
        ("limits: {usd: 0}", "spec.yaml: limits.usd: Input should be greater than 0; got 0"),
        ("seeed: 7", "spec.yaml: seeed: unknown key; accepted: version, name, seed, target, baseline"),
        ("limits: {dollars: 5}", "spec.yaml: limits.dollars: unknown key; accepted: usd, tokens, requests"),
        ("authorised_by: ''", "spec.yaml: authorised_by: String should have at least 1 character; got ''"),
        (
            "gate: [{measure: m, fail_if: bad}]",
            "spec.yaml: gate[0].fail_if: must be estimate, ci_low or ci_high, then <, <=, > or >=, then a",
        ),
        (
            "gate: [{measure: m, fail_if: ci_low < 0, grp: x}]",
            "spec.yaml: gate[0].grp: unknown key; accepted: measure, attribute, group, domain, signal",
        ),
        ("gate: [{fail_if: ci_low < 0}]", "spec.yaml: gate[0].measure: required key is missing"),
    ],
)
def test_wrong_value_is_one_line_with_its_key(change: str, line: str) -> None:
    """Each mistake is one line: file, key, what is accepted, and what was received."""
    (found,) = problems(GOOD + change)
    assert found.startswith(line)
    assert "unknown key" in found or "missing" in found or "; got " in found


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("version: 1", "version: 2", "spec.yaml: version: Input should be 1; got 2"),
        ("name: audit", "name: ''", "spec.yaml: name: String should have at least 1 character; got ''"),
        ("name: audit\n", "", "spec.yaml: name: required key is missing"),
        ("{type: specimen}", "specimen", "spec.yaml: target: Input should be"),
        ("{type: specimen}", "{kind: specimen}", "spec.yaml: target.type: required key is missing"),
        ("use: bias/decisions\n    domains", "domains", "spec.yaml: probes[0].use: required key is missing"),
        ("[decision, {use: refusal}]", "[]", "spec.yaml: analyzers: Tuple should have at least 1 item"),
        ("{use: refusal}", "decision", "spec.yaml: analyzers must be named once each"),
        ("{use: refusal}", "7", "spec.yaml: analyzers[1]: Input should be"),
    ],
)
def test_wrong_part_is_one_line_with_its_place(old: str, new: str, line: str) -> None:
    """Missing keys, wrong shapes and doubled analyzers name their place in the file."""
    (found,) = problems(GOOD.replace(old, new))
    assert found.startswith(line)


def test_two_problems_are_two_lines() -> None:
    """Everything that is wrong is said at once."""
    assert [line.split(":")[1].strip() for line in problems(GOOD + "seed: x\nrepeats: 0\n")] == [
        "seed",
        "repeats",
    ]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "must be a mapping of keys such as name; got NoneType"),
        ("- a\n- b\n", "must be a mapping of keys such as name; got list"),
        ("just words", "got str"),
        (GOOD + "name: twice\n", "key 'name' is given twice (line 8)"),
        (GOOD.replace("domains: [lending]", "use: x"), "key 'use' is given twice (line 6)"),
        ("a: b: c", "not valid YAML: mapping values are not allowed here (line 1, column 5)"),
        ("a: [1, 2", "not valid YAML: "),
        ("\tname: x", "not valid YAML: "),
        ("? [a, b]\n: c", "not valid YAML: found unhashable key (line 1, column 3)"),
        ("{{a: 1}: 2}", "not valid YAML: found unhashable key"),
        ("a: 1\n---\nb: 2\n", "not valid YAML: but found another document (line 2, column 1)"),
        ("name: \x00", "not valid YAML: "),
        ("a: !!python/object/apply:os.getcwd []", "not valid YAML: could not determine a constructor"),
        ("[" * 3000, "not valid YAML: nested too deeply"),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_text_that_is_no_spec_is_one_line(text: str, says: str) -> None:
    """Empty, doubled, broken, unsafe or absurd YAML is refused in one line, never a traceback."""
    (line,) = problems(text)
    assert line.startswith("spec.yaml: ")
    assert says in line


def test_keys_that_are_no_words_are_refused() -> None:
    """YAML allows numbers as keys, a spec does not."""
    assert any(line.startswith("spec.yaml: 1: unknown key; ") for line in problems(GOOD + "1: x\n"))


def test_file_problems_are_one_line(tmp_path: Path) -> None:
    """A missing, binary or unreadable file is named, with what to type next where that helps."""
    with pytest.raises(SpecError, match="no such spec file") as missing:
        load_spec(tmp_path / "none.yaml")
    assert missing.value.next_step == "evenhand init --preset minimal > spec.yaml"
    binary = tmp_path / "binary.yaml"
    binary.write_bytes(b"\xff\xfe\x00\x01")
    for path in (binary, tmp_path):
        with pytest.raises(SpecError, match="cannot be read") as caught:
            load_spec(path)
        assert str(path) in str(caught.value)
        assert "\n" not in str(caught.value)


def test_long_value_is_shortened_in_its_message() -> None:
    """A wrong value of a thousand characters does not fill the screen."""
    (line,) = problems(GOOD + f"seed: {'x' * 1000}")
    assert len(line) < 200


def test_dump_and_parse_give_the_same_spec_and_bytes() -> None:
    """What a run keeps is the spec with every default, and reads back as itself."""
    text = GOOD + "seed: 7\njudgement: {margins: {decision_number: 2.5}}\nlimits: {usd: 5, minutes: 0.5}\n"
    text += 'gate: [{measure: favourable_rate, fail_if: "ci_high < -0.05"}]\nauthorised_by: Änne\n'
    spec = parse_spec(text, "spec.yaml")
    dumped = dump_spec(spec)
    assert parse_spec(dumped, "copy") == spec
    assert dump_spec(parse_spec(dumped, "copy")) == dumped
    assert "Änne" in dumped


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ("authorised_by: 2025-13-45", "not a valid value: month must be in 1..12 (line 8, column 16)"),
        ("seed: !!int many", "not a valid value: invalid literal for int() with base 10: 'many'"),
        ("seed: !!float much", "not a valid value: could not convert string to float: 'much'"),
        (f"seed: {'9' * 5000}", "not a valid value: Exceeds the limit"),
        (
            'authorised_by: "A\\ud800"',
            "a text holds half a character, \\ud800, which no file can hold: write it whole (line 8",
        ),
        ('baseline: {type: specimen, "\\udfff": 1}', "a text holds half a character, \\udfff"),
        ('baseline: {type: specimen, more: ["\\ud83d"]}', "a text holds half a character, \\ud83d"),
        ("baseline: &b {type: specimen, more: *b}", "an alias stands inside itself (line 8, column 11)"),
    ],
)
def test_yaml_values_that_cannot_be_read_are_one_line(change: str, line: str) -> None:
    """What breaks inside a YAML value names its line, as any other mistake does."""
    (problem,) = problems(GOOD + change + "\n")
    assert problem.startswith(f"spec.yaml: not valid YAML: {line}")


def test_a_character_that_json_spells_as_two_halves_is_that_character() -> None:
    """A JSON writer escapes an emoji as a pair, and a spec that was written by one says the same."""
    spec = parse_spec(GOOD + 'authorised_by: "Änne \\ud83d\\ude00"', "spec.yaml")
    assert spec.authorised_by == "Änne \U0001f600"


def test_aliases_that_stand_for_billions_of_values_are_refused() -> None:
    """A small file cannot fill the memory."""
    levels = ["l0: &l0 [x, x, x, x, x, x, x, x, x, x]"]
    levels += [f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 10)}]" for n in range(1, 12)]
    (problem,) = problems(GOOD + "\n".join(levels))
    assert problem == "spec.yaml: not valid YAML: its aliases stand for more than 100000 values"


def test_aliases_may_be_used_to_say_a_thing_once() -> None:
    """A target given by anchor is the same target for the baseline."""
    spec = parse_spec(GOOD.replace("target: {", "target: &t {") + "baseline: *t\n", "spec.yaml")
    assert spec.baseline == spec.target


@settings(max_examples=40, deadline=None)
@given(
    name=st.text(st.characters(exclude_categories=["C"]), min_size=1, max_size=100),
    seed=st.integers(0, 2**63),
    level=st.floats(0.51, 0.99),
    option=st.dictionaries(
        st.text("abcxyz_", min_size=1, max_size=5).filter(lambda key: key not in {"use", "type"}),
        st.one_of(st.booleans(), st.integers(), st.text(max_size=9), st.lists(st.integers(), max_size=3)),
        max_size=3,
    ),
)
def test_any_spec_survives_its_file(name: str, seed: int, level: float, option: dict[str, object]) -> None:
    """Names, numbers and options of plug-ins come back from the run folder exactly."""
    spec = Spec.model_validate(
        {
            "version": 1,
            "name": name,
            "seed": seed,
            "target": {"type": "t", **option},
            "probes": [{"use": "p", **option}],
            "analyzers": ["a"],
            "judgement": {"level": level},
        }
    )
    assert parse_spec(dump_spec(spec), "copy") == spec
