"""What every trainer does before it learns: no file may be missing, changed or turned round."""

from collections.abc import Mapping, Sequence
from typing import TypeVar

from pydantic import ValidationError

from audit.errors import InputError
from audit.retraining.layouts.table import layout
from audit.retraining.reading import check_direction
from audit.retraining.records import Format, RetrainingFile, RetrainingFiles, Shape, Split
from audit.validation import problem_lines
from probes.base import Options
from probes.data import file_sha256

__all__ = ["base_options", "check_files", "file_to_read", "training_file"]

_OptionsT = TypeVar("_OptionsT", bound=Options)


def check_files(files: RetrainingFiles) -> None:
    """Checks every file against the manifest, and every file of preferences for its direction.

    Also those that the trainer does not read: a folder with one false file is not to be trusted.

    Raises:
        InputError: A file is missing, changed, or has chosen and rejected swapped.
    """
    for file in files.manifest.files:
        _check(files, file)


def file_to_read(
    files: RetrainingFiles, formats: Sequence[Format], shape: Shape, split: Split = "train"
) -> RetrainingFile | None:
    """The file of a shape and split, in the first of some formats that is there; None: there is none."""
    found = (files.find(one, split, shape=shape) for one in formats)
    return next((one for one in found if one is not None), None)


def training_file(files: RetrainingFiles, formats: Sequence[Format], shape: Shape) -> RetrainingFile:
    """The file to train on, as `file_to_read` finds it.

    Raises:
        InputError: There is none.
    """
    found = file_to_read(files, formats, shape)
    if found is None:
        raise InputError(
            f"{files.folder}: holds no training file of the shape {shape}; "
            f"accepted formats: {', '.join(formats)}",
            next_step=f"evenhand retrain RUN --to {formats[0]}",
        )
    return found


def base_options(
    base: Mapping[str, object], target_type: str, options: type[_OptionsT], *, trainer: str
) -> _OptionsT:
    """The options of the target to start from.

    Args:
        base: The target as a spec names it.
        target_type: The type that the trainer trains.
        options: Class of that type's options.
        trainer: Name of the trainer, for messages.

    Raises:
        InputError: The target is of another type, or an option is wrong.
    """
    if base.get("type") != target_type:
        raise InputError(
            f"target: type is {base.get('type')!r}; the trainer {trainer} accepts: {target_type}"
        )
    try:
        return options.model_validate({key: base[key] for key in sorted(base) if key != "type"})
    except ValidationError as error:
        raise InputError(problem_lines(error, "target")[0]) from error


def _check(files: RetrainingFiles, file: RetrainingFile) -> None:
    path, sidecar = files.folder / file.path, files.folder / file.provenance
    for checked in (path, sidecar):
        if not checked.is_file():
            raise InputError(f"{checked}: no such file, though the manifest lists it")
    # Direction first: of a swapped file the message should say that it is swapped, not only changed.
    if file.shape is not Shape.SFT:
        check_direction(path, sidecar, layout(file.format, file.shape))
    for checked, expected in ((path, file.sha256), (sidecar, file.provenance_sha256)):
        if file_sha256(checked) != expected:
            raise InputError(
                f"{checked}: checksum differs from the manifest: the file was changed after writing"
            )
