"""Whether a library is there."""

from pathlib import Path

import pytest

from audit.targets.installed import missing_packages


def test_a_folder_of_that_name_is_no_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What lies in a folder without code, such as this project's own data, is not taken for a library."""
    (tmp_path / "only_data_here").mkdir()
    (tmp_path / "a_package_here").mkdir()
    (tmp_path / "a_package_here" / "__init__.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    assert missing_packages("only_data_here", "a_package_here", "json", "nowhere") == (
        "only_data_here",
        "nowhere",
    )
