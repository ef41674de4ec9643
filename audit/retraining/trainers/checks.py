"""What every trainer does before it learns: no file may be missing, changed or turned round."""

from audit.errors import InputError
from audit.retraining.layouts.table import Layout, layout
from audit.retraining.reading import check_direction
from audit.retraining.records import Format, RetrainingFile, RetrainingFiles, Shape
from probes.data import file_sha256

__all__ = ["check_files", "file_to_read"]


def check_files(files: RetrainingFiles) -> None:
    """Checks every file against the manifest, and every file of preferences for its direction.

    Also those that the trainer does not read: a folder with one false file is not to be trusted.

    Raises:
        InputError: A file is missing, changed, or has chosen and rejected swapped.
    """
    for file in files.manifest.files:
        _check(files, file)


def file_to_read(files: RetrainingFiles, formats: tuple[Format, ...], shape: Shape) -> tuple[str, Layout]:
    """Path and layout of the training file of a shape, in the first of some formats that is there.

    Raises:
        InputError: There is none.
    """
    for one in formats:
        found = files.find(one, shape=shape)
        if found is not None:
            return str(files.folder / found.path), layout(one, shape)
    accepted = ", ".join(formats)
    raise InputError(
        f"{files.folder}: holds no training file of the shape {shape}; accepted formats: {accepted}",
        next_step=f"evenhand retrain RUN --to {formats[0]}",
    )


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
