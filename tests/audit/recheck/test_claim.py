"""Claim files: what is accepted, what is refused, and the shipped ones."""

from pathlib import Path

import pytest

from audit.errors import InputError
from audit.recheck import load_claim, shipped_claims

ROOT = Path(__file__).resolve().parents[3]

VALID = """\
version: 1
name: own
claim: Group a is favoured.
published: "0.10"
source: Our own table
file: {path: said.csv}
statistic: difference
columns: {outcome: said, group: group, cluster: template}
positive: ["yes"]
groups: [a, b]
"""


def load(folder: Path, text: str) -> str:
    """Load a claim from a text; its name."""
    path = folder / "claim.yaml"
    path.write_text(text)
    return load_claim(str(path)).claim.name


def test_a_valid_claim_is_loaded(tmp_path: Path) -> None:
    """The example of the how-to is a claim."""
    assert load(tmp_path, VALID) == "own"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('published: "0.10"', "published: about 0.1", "published: must be a number in quotes.*about 0.1"),
        ('published: "0.10"', "published: -0.15", 'published: quote it.*published: "-0.15"'),
        ("statistic: difference", "statistic: gap", "statistic must be one of rate, .*'gap'"),
        ("groups: [a, b]", "groups: [a, a]", "two different values"),
        ("groups: [a, b]\n", "", "needs groups"),
        ("group: group, ", "", "needs columns.group"),
        ("outcome: said,", "outcome: said, set: s,", "does not read columns.set"),
        ("path: said.csv", "path: ../said.csv", "below the data folder"),
        ("path: said.csv", "path: /etc/passwd", "below the data folder"),
        ("version: 1", "version: 1\nverdict: yes", "verdict: unknown key; accepted: version"),
        ("version: 1", "version: 2", "version: .*got 2"),
        ("name: own", "name: [", "not valid YAML"),
        (VALID, "just words", "must be a mapping of keys"),
        ("name: own", "name: own\nname: other", "key 'name' is given twice"),
        ("name: own", "name: 2025-13-45", "not a valid value"),
        ("name: own", "name: " + 5000 * "[", "nested too deeply"),
        ('published: "0.10"', f'published: "{400 * "9"}"', "published: must lie between -1e.15 and 1e.15"),
        ("version: 1", "version: 1\nscale: 1.0e+308", "scale: .*less than or equal to 1000000"),
        ("version: 1", "version: 1\nscale: 1.0e-320", "scale: .*greater than or equal to"),
        ("version: 1", "version: 1\nneutral: 1.0e+308", "neutral: .*less than"),
    ],
)
def test_a_mistake_is_told_with_file_and_key(tmp_path: Path, old: str, new: str, said: str) -> None:
    """One line that names the file, the key, the value and what is accepted."""
    with pytest.raises(InputError, match=rf"claim\.yaml: .*{said}"):
        load(tmp_path, VALID.replace(old, new))


def test_the_example_of_the_page_is_a_claim(tmp_path: Path) -> None:
    """A claim copied from the how-to loads."""
    page = (ROOT / "docs" / "how-to" / "recheck-a-published-claim.md").read_text(encoding="utf-8")
    block = page.partition("```yaml\n")[2].partition("```")[0]
    assert load(tmp_path, block) == "shortlist-gap"


def test_neutral_values_follow_the_statistic_and_its_scale(tmp_path: Path) -> None:
    """A difference in percent is told from 0, a ratio from 1, a rate from what the claim says."""
    path = tmp_path / "claim.yaml"
    path.write_text(VALID.replace("difference", "ratio"))
    assert load_claim(str(path)).claim.null == 1.0
    path.write_text(VALID + "scale: 100\n")
    assert load_claim(str(path)).claim.null == 0.0
    path.write_text(VALID + "neutral: 0.25\n")
    assert load_claim(str(path)).claim.null == 0.25


@pytest.mark.parametrize("name", shipped_claims())
def test_shipped_claims_load_under_their_names(name: str) -> None:
    """Every shipped claim is valid, named as its folder, sourced and licensed."""
    claim = load_claim(name).claim
    assert claim.name == name
    assert claim.url
    assert claim.file.licence
    assert claim.cannot_show


def test_an_unknown_name_lists_the_shipped_ones() -> None:
    """A typo is answered with what there is, and a name is no way out of the folder."""
    for given in ("nope", "../claims/x"):
        with pytest.raises(InputError, match=shipped_claims()[0]):
            load_claim(given)
