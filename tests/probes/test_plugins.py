"""Plug-ins by name: only what is asked for is loaded, and what is wrong names its distribution."""

import sys
from pathlib import Path

import pytest

from probes.errors import PluginError
from probes.plugins import load, names

GROUP = "evenhand.testing"


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder on the path with a real installed distribution of some plug-ins."""
    (tmp_path / "thirdparty.py").write_text("class Good:\n    '''A plug-in.'''\n\nNOT_A_CLASS = 1\n")
    add(tmp_path, "first", {"good": "thirdparty:Good", "shared": "thirdparty:Good"})
    add(
        tmp_path,
        "second",
        {
            "shared": "thirdparty:Other",
            "absent": "no_such_module:X",
            "lost": "thirdparty:Lost",
            "value": "thirdparty:NOT_A_CLASS",
        },
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "thirdparty", raising=False)
    return tmp_path


def add(folder: Path, distribution: str, points: dict[str, str]) -> None:
    """Write the metadata of an installed distribution."""
    info = folder / f"{distribution}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n")
    lines = "".join(f"{name} = {value}\n" for name, value in points.items())
    (info / "entry_points.txt").write_text(f"[{GROUP}]\n{lines}")


@pytest.mark.usefixtures("installed")
def test_names_are_sorted_and_nothing_is_loaded() -> None:
    """The list costs no import."""
    assert names(GROUP) == ["absent", "good", "lost", "shared", "value"]
    assert "thirdparty" not in sys.modules
    assert names("evenhand.nothing") == []


@pytest.mark.usefixtures("installed")
def test_plug_in_of_another_distribution_loads() -> None:
    """Third parties come through the same door as our own."""
    assert load(GROUP, "good").__name__ == "Good"
    assert load("evenhand.probes", "safety/benign").__name__ == "BenignProbe"


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("good ", r"unknown name 'good '; accepted: absent, good, lost, shared, value"),
        ("shared", r"registered more than once: first \(thirdparty:Good\), second \(thirdparty:Other\)"),
        ("absent", r"'absent' of distribution second does not load: No module named 'no_such_module'"),
        ("lost", r"'lost' of distribution second does not load: .*Lost"),
        ("value", r"'value' of distribution second is not a class"),
    ],
)
def test_what_is_wrong_names_who_registered_it(name: str, says: str) -> None:
    """Unknown, doubled and broken plug-ins are errors with their distribution, never warnings."""
    with pytest.raises(PluginError, match=says):
        load(GROUP, name)


def test_group_without_plug_ins_says_so() -> None:
    """An empty group has nothing to offer."""
    with pytest.raises(PluginError, match="none installed"):
        load("evenhand.nothing", "x")


@pytest.mark.usefixtures("installed")
def test_same_plug_in_seen_twice_is_no_conflict(installed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An editable install that lies twice on the path registers one object twice."""
    again = installed / "again"
    again.mkdir()
    add(again, "first", {"good": "thirdparty:Good"})
    monkeypatch.syspath_prepend(str(again))
    assert load(GROUP, "good").__name__ == "Good"
