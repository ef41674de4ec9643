"""Files that formats want beside their rows, so that a trainer finds the rows without being told.

- LLaMA-Factory finds data sets through `dataset_info.json`: set `dataset_dir` to the folder.
- Axolotl reads them from a configuration: `axolotl-<shape>.yaml` is the part that says where and how.
- Hugging Face loads a folder by the head of its `README.md`; `croissant.json` says the same to programs, with
  the properties of the responsible-AI vocabulary.

Sources:
    LLaMA-Factory, data/README.md; Axolotl, dataset formats (conversation, DPO); Hugging Face, manual
    configuration of data sets.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import yaml

from audit.atomic import write_text
from audit.retraining.croissant import below_hf, croissant
from audit.retraining.records import Companion, Format, RetrainingFile, Shape, text_sha256

__all__ = ["COMPANIONS", "write_companions"]

COMPANIONS = frozenset(
    {"dataset_info.json", "axolotl-sft.yaml", "axolotl-dpo.yaml", "hf/README.md", "hf/croissant.json"}
)
"""Every file that may stand beside rows, relative to the folder."""

_ROLES = {
    "role_tag": "role",
    "content_tag": "content",
    "user_tag": "user",
    "assistant_tag": "assistant",
    "system_tag": "system",
}
_DESCRIPTION = (
    "Counterfactual and safety examples made from the findings of a bias and safety audit, to train the "
    "audited model further. Synthetic: people, cases and names are invented."
)


def write_companions(out: Path, files: Sequence[RetrainingFile]) -> tuple[Companion, ...]:
    """Writes what the formats of the files want beside them.

    Args:
        out: Folder of all files.
        files: What was written there.

    Returns:
        One record a file, in the order of their paths; the same files give the same bytes.

    Raises:
        InputError: The folder cannot be written.
    """
    written = []
    for file_format, texts in _MAKERS.items():
        own = [file for file in files if file.format is file_format]
        if not own:
            continue
        for path, text in sorted(texts(own).items()):
            write_text(out / path, text)
            written.append(Companion(format=file_format, path=path, sha256=text_sha256(text)))
    return tuple(sorted(written, key=lambda companion: companion.path))


def _llama_factory(files: Sequence[RetrainingFile]) -> Mapping[str, str]:
    columns: dict[Shape, dict[str, str]] = {
        Shape.SFT: {"messages": "messages"},
        Shape.DPO: {"messages": "messages", "chosen": "chosen", "rejected": "rejected"},
        Shape.KTO: {"messages": "messages", "kto_tag": "kto_tag"},
    }
    entries = {}
    for file in sorted(files, key=lambda file: file.path):
        entry: dict[str, object] = {"file_name": file.path, "formatting": "sharegpt"}
        if file.shape is Shape.DPO:
            entry["ranking"] = True
        entries[f"evenhand_{file.shape.value}_{file.split}"] = {
            **entry,
            "columns": columns[file.shape],
            "tags": _ROLES,
        }
    return {"dataset_info.json": _json(entries)}


def _axolotl(files: Sequence[RetrainingFile]) -> Mapping[str, str]:
    texts = {}
    for shape in (Shape.SFT, Shape.DPO):
        own = sorted((file for file in files if file.shape is shape), key=lambda file: file.split)
        if not own:
            continue
        keys: dict[str, object] = {"rl": "dpo"} if shape is Shape.DPO else {}
        for file in own:
            keys["datasets" if file.split == "train" else "test_datasets"] = [_axolotl_entry(file)]
        texts[f"axolotl-{shape.value}.yaml"] = yaml.safe_dump(keys, sort_keys=False)
    return texts


def _axolotl_entry(file: RetrainingFile) -> dict[str, object]:
    entry: dict[str, object] = {"path": file.path, "ds_type": "json", "split": "train"}
    roles = {role: [role] for role in ("system", "user", "assistant")}
    if file.shape is Shape.SFT:
        return {
            **entry,
            "type": "chat_template",
            "field_messages": "messages",
            "roles_to_train": ["assistant"],
        }
    return {
        **entry,
        "type": "chat_template.default",
        "field_messages": "messages",
        "field_chosen": "chosen",
        "field_rejected": "rejected",
        "message_property_mappings": {"role": "role", "content": "content"},
        "roles": roles,
    }


def _hugging_face(files: Sequence[RetrainingFile]) -> Mapping[str, str]:
    shapes = [shape for shape in Shape if any(file.shape is shape for file in files)]
    configs = [
        {
            "config_name": shape.value,
            "data_files": [
                {"split": file.split, "path": below_hf(file.path)}
                for file in sorted(files, key=lambda file: file.split)
                if file.shape is shape
            ],
        }
        for shape in shapes
    ]
    head = {
        "license": "apache-2.0",
        "language": ["en"],
        "pretty_name": "Retraining files of an audit",
        "tags": ["fairness", "bias", "safety", "synthetic"],
        "configs": configs,
    }
    rows = "\n".join(
        f"| {below_hf(file.path)} | {file.shape} | {file.split} | {file.rows} |" for file in files
    )
    text = (
        f"---\n{yaml.safe_dump(head, sort_keys=False)}---\n\n# Retraining files\n\n{_DESCRIPTION}\n"
        "`RETRAINING_CARD.md` in the folder above says which findings they answer, where each answer comes "
        "from, and which gates they passed.\n\n"
        f"| file | shape | split | rows |\n| --- | --- | --- | --- |\n{rows}\n"
    )
    return {"hf/README.md": text, "hf/croissant.json": _json(croissant(files, _DESCRIPTION))}


def _json(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


_MAKERS: Mapping[Format, Callable[[Sequence[RetrainingFile]], Mapping[str, str]]] = MappingProxyType(
    {
        Format.LLAMA_FACTORY: _llama_factory,
        Format.AXOLOTL: _axolotl,
        Format.HF: _hugging_face,
    }
)
