"""Files are taken by those who read them; of readers that are not installed nothing is said."""

from importlib.util import find_spec
from pathlib import Path

import pytest

from audit.retraining.records import Format, RetrainingOptions
from audit.retraining.writing import write_retraining_files
from benchmarks.repair.run import CONTRASTS, finding
from benchmarks.retraining.accepted import READERS, attempt

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("file_format", sorted(READERS))
def test_a_reader_takes_every_row(file_format: Format, tmp_path: Path) -> None:
    """Each file of a format goes whole through the code of the library that it is written for."""
    package, reader = READERS[file_format]
    if find_spec(package) is None:
        pytest.skip(f"{package} is not installed")
    options = RetrainingOptions(formats=(file_format,), max_examples=60, validation_share=0.2)
    files = write_retraining_files([finding(*CONTRASTS[0], -0.1)], [], tmp_path, options)
    assert {file.split for file in files.manifest.files} == {"train", "validation"}
    for file in files.manifest.files:
        assert attempt(reader, files.folder, file) == str(file.rows)
