"""What stands beside rows, so that trainers find them."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from audit.records import Finding
from audit.retraining.companions import COMPANIONS
from audit.retraining.layouts.table import layout, layouts_of
from audit.retraining.records import Format, RetrainingFiles, RetrainingOptions, Shape
from audit.retraining.writing import read_retraining_files, write_retraining_files
from probes.data import file_sha256
from probes.records import Prompt

MakeFinding = Callable[..., Finding]


@pytest.fixture(scope="module")
def every_format(
    make_finding: MakeFinding, audit_prompts: list[Prompt], tmp_path_factory: pytest.TempPathFactory
) -> RetrainingFiles:
    """Files in every format."""
    options = RetrainingOptions(max_examples=60, seed=3, formats=tuple(Format), validation_share=0.2)
    out = tmp_path_factory.mktemp("every")
    return write_retraining_files([make_finding()], audit_prompts, out, options)


def test_companions_are_listed_and_checked(every_format: RetrainingFiles) -> None:
    """Every companion is in the manifest with its checksum, and the folder reads back as it was written."""
    assert {companion.path for companion in every_format.manifest.companions} == COMPANIONS
    for companion in every_format.manifest.companions:
        assert file_sha256(every_format.folder / companion.path) == companion.sha256
    assert read_retraining_files(every_format.folder) == every_format


def test_llama_factory_finds_its_columns(every_format: RetrainingFiles) -> None:
    """Each entry of dataset_info.json names a file that is there and columns that its rows have."""
    entries = json.loads((every_format.folder / "dataset_info.json").read_text(encoding="utf-8"))
    assert len(entries) == 2 * len(layouts_of(Format.LLAMA_FACTORY))
    for name, entry in entries.items():
        row = json.loads((every_format.folder / entry["file_name"]).read_text("utf-8").splitlines()[0])
        assert set(entry["columns"].values()) == set(row)
        assert entry.get("ranking", False) == ("_dpo_" in name)
        assert entry["tags"]["role_tag"] in row["messages"][0]


def test_axolotl_finds_its_fields(every_format: RetrainingFiles) -> None:
    """The part of a configuration names a file that is there, and the fields of its rows."""
    parts = {
        shape: yaml.safe_load((every_format.folder / f"axolotl-{shape}.yaml").read_text(encoding="utf-8"))
        for shape in (Shape.SFT, Shape.DPO)
    }
    assert (parts[Shape.SFT].get("rl"), parts[Shape.DPO]["rl"]) == (None, "dpo")
    for shape, part in parts.items():
        for entry in (*part["datasets"], *part["test_datasets"]):
            row = json.loads((every_format.folder / entry["path"]).read_text("utf-8").splitlines()[0])
            fields = {value for key, value in entry.items() if key.startswith("field_")}
            assert fields == set(row) == set(layout(Format.AXOLOTL, shape).encoding.keys)


def test_the_folder_for_hugging_face_describes_itself(every_format: RetrainingFiles) -> None:
    """Head of the card and Croissant name every file, with the checksum it has, and every key of its rows."""
    folder = every_format.folder / "hf"
    head = yaml.safe_load((folder / "README.md").read_text(encoding="utf-8").split("---\n")[1])
    listed = {part["path"] for config in head["configs"] for part in config["data_files"]}
    croissant = json.loads((folder / "croissant.json").read_text(encoding="utf-8"))
    assert listed == {entry["contentUrl"] for entry in croissant["distribution"]}
    for entry in croissant["distribution"]:
        assert file_sha256(folder / entry["contentUrl"]) == entry["sha256"]
    fields = {one["@id"]: {field["name"] for field in one["field"]} for one in croissant["recordSet"]}
    assert fields["dpo_train"] == {"dpo_train/prompt", "dpo_train/chosen", "dpo_train/rejected"}
    assert len(fields) == len(listed) == 6


def test_companions_of_an_earlier_writing_go(
    make_finding: MakeFinding, audit_prompts: list[Prompt], tmp_path: Path
) -> None:
    """Companions whose format is not written any more do not stay behind."""
    findings, options = [make_finding()], RetrainingOptions(max_examples=40, formats=(Format.AXOLOTL,))
    write_retraining_files(findings, audit_prompts, tmp_path, options)
    assert (tmp_path / "axolotl-dpo.yaml").exists()
    later = options.model_copy(update={"formats": (Format.TRL_SFT,)})
    assert write_retraining_files(findings, audit_prompts, tmp_path, later).manifest.companions == ()
    assert not (tmp_path / "axolotl-dpo.yaml").exists()
