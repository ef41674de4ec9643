"""What a folder of `hf` says of itself to programs: Croissant, with its vocabulary for responsible AI.

Source:
    MLCommons, Croissant Format Specification 1.0, and Croissant RAI Specification 1.0.
"""

from collections.abc import Sequence

from audit.retraining.layouts.table import layout
from audit.retraining.records import RetrainingFile

__all__ = ["below_hf", "croissant"]

_TERMS = (
    "citeAs",
    "column",
    "equivalentProperty",
    "extract",
    "field",
    "fileObject",
    "fileProperty",
    "fileSet",
    "format",
    "includes",
    "isLiveDataset",
    "jsonPath",
    "key",
    "md5",
    "parentField",
    "path",
    "recordSet",
    "references",
    "regex",
    "repeated",
    "replace",
    "samplingRate",
    "separator",
    "source",
    "subField",
    "transform",
)
"""Terms of the vocabulary; readers want all of them in the context, whether they are used or not."""
_CONTEXT: dict[str, object] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "sc": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "dct": "http://purl.org/dc/terms/",
    "conformsTo": "dct:conformsTo",
    "data": {"@id": "cr:data", "@type": "@json"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    **{term: f"cr:{term}" for term in _TERMS},
}
_LICENCE = "https://www.apache.org/licenses/LICENSE-2.0"


def croissant(files: Sequence[RetrainingFile], description: str) -> dict[str, object]:
    """The description as JSON-LD.

    Args:
        files: Files of the format `hf`.
        description: What they are, in words.
    """
    return {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "name": "evenhand-retraining",
        "description": description,
        "conformsTo": ["http://mlcommons.org/croissant/1.0", "http://mlcommons.org/croissant/RAI/1.0"],
        "license": _LICENCE,
        "rai:dataCollection": "Made from templates; nothing was collected from people.",
        "rai:dataUseCases": "Further training of the audited model, followed by the same audit.",
        "rai:dataLimitations": "English templates; no sample of real cases; repairs only what was found.",
        "rai:dataBiases": "Names signal a group to readers; they do not say what a person is.",
        "rai:personalSensitiveInformation": "Protected attributes of invented people.",
        "distribution": [
            {
                "@type": "cr:FileObject",
                "@id": below_hf(file.path),
                "name": below_hf(file.path),
                "contentUrl": below_hf(file.path),
                "encodingFormat": "application/jsonlines",
                "sha256": file.sha256,
            }
            for file in files
        ],
        "recordSet": [_record_set(file) for file in files],
    }


def below_hf(path: str) -> str:
    """A path within the folder `hf`."""
    return path.removeprefix("hf/")


def _record_set(file: RetrainingFile) -> dict[str, object]:
    name = f"{file.shape.value}_{file.split}"
    keys = layout(file.format, file.shape).encoding.keys
    return {
        "@type": "cr:RecordSet",
        "@id": name,
        "name": name,
        "field": [_field(f"{name}/{key}", key, below_hf(file.path)) for key in keys],
    }


def _field(name: str, key: str, file: str) -> dict[str, object]:
    """A truth value, or a list of messages."""
    described = {"@type": "cr:Field", "@id": name, "name": name}
    source = {"fileObject": {"@id": file}, "extract": {"column": key}}
    if key == "label":
        return {**described, "dataType": "sc:Boolean", "source": source}
    return {
        **described,
        "repeated": True,
        "subField": [
            {
                "@type": "cr:Field",
                "@id": f"{name}/{part}",
                "name": f"{name}/{part}",
                "dataType": "sc:Text",
                "source": {**source, "transform": {"jsonPath": part}},
            }
            for part in ("role", "content")
        ],
    }
