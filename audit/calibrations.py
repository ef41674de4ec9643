"""From the labels that a spec attaches to its analyzers to the corrections of a run's estimates."""

import hashlib
import json
from codecs import BOM_UTF8
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from shlex import quote

from pydantic import ValidationError

from audit.analyzers.base import Analyzer
from audit.checking import AnalyzerCheck, check_read
from audit.errors import InputError
from audit.estimates.error_rates import ErrorCell, ErrorRates
from audit.estimates.measures import known_measures
from audit.label_readings import labelled_for
from audit.labelled import Labels
from audit.plugins import ANALYZERS, load_plugin, validated_options
from audit.spec import AnalyzerSpec, Spec
from audit.validation import problem_lines

__all__ = ["AttachedFile", "attached_rates", "check_attached", "given_rates"]

_DIGITS = 12
"""Of the SHA-256 of a file of labels, in words."""


@dataclass(frozen=True, slots=True)
class AttachedFile:
    """A file of labels that a spec names, and the languages that its labels name."""

    place: str
    """Where the spec names it, and its path."""
    languages: frozenset[str | None]

    def refuse_other_languages(self, asked: Collection[str]) -> None:
        """Refuse labels of which none can fit a run.

        Args:
            asked: Languages of the run's prompts.

        Raises:
            InputError: Labels name languages, and none of them is asked in.
        """
        named = sorted(one for one in self.languages if one is not None)
        if named and not set(named) & set(asked):
            raise InputError(
                f"{self.place}: none of its labels fits this run: language must be one of "
                f"{', '.join(sorted(asked))}, those of the prompts; got {', '.join(named)}",
                next_step="give labels in a language of the run, or leave the file out of the spec",
            )


def check_attached(
    spec: Spec, analyzers: Sequence[Analyzer], root: Path, where: str
) -> tuple[AttachedFile, ...]:
    """Refuse labels that could not correct anything, before a request is paid for; nothing is scored.

    Args:
        spec: The spec.
        analyzers: Its analyzers, in its order.
        root: Folder that relative paths are relative to.
        where: Name of the spec file, for messages.

    Returns:
        The files, whose languages are to be held against those of the prompts.

    Raises:
        InputError: As for `attached_rates`.
    """
    files: list[AttachedFile] = []
    for index, (part, analyzer) in enumerate(zip(spec.analyzers, analyzers, strict=True)):
        place = f"{where}: analyzers[{index}]"
        place_of = f"{place}.calibration"
        rates = [
            _rates(_calibration(root / file, part, analyzer, place_of), root / file)
            for file in part.calibrations
        ]
        _check_once(rates, place_of)
        files += [
            AttachedFile(f"{place_of}: {root / file}", frozenset(cell.language for cell in one.cells))
            for file, one in zip(part.calibrations, rates, strict=True)
        ]
        if part.labels is not None:
            if analyzer.info.asks:
                raise InputError(
                    f"{place}.labels: {part.use} asks a model; accepted: calibration, which a check gives",
                    next_step=_check_command(part),
                )
            with _named(f"{place}.labels"):
                rows = labelled_for(analyzer, root / part.labels, Labels())
            named = frozenset(row.language for row in rows)
            files.append(AttachedFile(f"{place}.labels: {root / part.labels}", named))
    return tuple(files)


def attached_rates(
    spec: Spec, analyzers: Sequence[Analyzer], root: Path, where: str
) -> tuple[ErrorRates, ...]:
    """The error rates that a spec attaches to its analyzers.

    Args:
        spec: The spec.
        analyzers: Its analyzers, in its order; one with `labels` reads them now.
        root: Folder that relative paths are relative to.
        where: Name of the spec file, for messages.

    Returns:
        One for each file of `calibration` or `labels`, in the order of the spec.

    Raises:
        InputError: A file is missing or malformed, or is of another analyzer, version or options.
    """
    found = []
    for index, (part, analyzer) in enumerate(zip(spec.analyzers, analyzers, strict=True)):
        place = f"{where}: analyzers[{index}]"
        found += [
            _rates(_calibration(root / file, part, analyzer, f"{place}.calibration"), root / file)
            for file in part.calibrations
        ]
        if part.labels is not None:
            path = root / part.labels
            with _named(f"{place}.labels"):
                found.append(_rates(check_read(analyzer, path, Labels(), options=part.options()), path))
    return tuple(found)


def given_rates(
    spec: Spec, analyzers: Sequence[Analyzer], files: Sequence[Path], where: str
) -> tuple[ErrorRates, ...]:
    """The error rates in files that are given beside the spec, each for the analyzer it names.

    Args:
        spec: The spec.
        analyzers: Its analyzers, in its order.
        files: What `evenhand analyzers check --json` printed.
        where: What named the files, for messages.

    Raises:
        InputError: As for `attached_rates`, or the spec has no such analyzer.
    """
    found = []
    for path in files:
        check = _loaded(path, where, "evenhand analyzers check NAME --labels FILE --json > check.json")
        known = {analyzer.info.name: place for place, analyzer in enumerate(analyzers)}
        if check.analyzer not in known:
            raise InputError(
                f"{where}: {path}: must be a check of one of {', '.join(known)}; got one of {check.analyzer}"
            )
        place = known[check.analyzer]
        _check_same(check, spec.analyzers[place], analyzers[place], f"{where}: {path}")
        found.append(_rates(check, path))
    _check_once(found, where)
    return tuple(found)


def _check_once(found: Sequence[ErrorRates], where: str) -> None:
    """Refuse a second check of the same reading: nothing would say which of them holds."""
    first: dict[tuple[str, str, float], str] = {}
    for one in found:
        key = (one.analyzer, one.reading, one.threshold)
        if key in first:
            raise InputError(
                f"{where}: {first[key]} and {one.source} are checks of the same reading, "
                f"{one.reading} of {one.analyzer}: give one"
            )
        first[key] = one.source


@contextmanager
def _named(place: str) -> Iterator[None]:
    """Errors of a file of labels with the place that named it."""
    try:
        yield
    except InputError as error:
        raise InputError(f"{place}: {error}", next_step=error.next_step) from error


def _calibration(path: Path, part: AnalyzerSpec, analyzer: Analyzer, place: str) -> AnalyzerCheck:
    check = _loaded(path, place, _check_command(part))
    _check_same(check, part, analyzer, f"{place}: {path}")
    return check


def _check_command(part: AnalyzerSpec) -> str:
    """The command that checks an analyzer as the spec has it, ready to be typed but for the file."""
    # Options by JSON, which is YAML: they hold names of secrets, never a secret.
    options = [f"--option {quote(f'{key}={json.dumps(value)}')}" for key, value in part.options().items()]
    return " ".join(
        ["evenhand analyzers check", quote(part.use), "--labels FILE", *options, "--json > check.json"]
    )


def _loaded(path: Path, place: str, hint: str) -> AnalyzerCheck:
    try:
        return AnalyzerCheck.model_validate_json(path.read_bytes().removeprefix(BOM_UTF8))
    except FileNotFoundError as error:
        raise InputError(f"{place}: {path}: no such file", next_step=hint) from error
    except OSError as error:
        raise InputError(f"{place}: {path}: cannot be read: {error.strerror}") from error
    except ValidationError as error:
        problem = problem_lines(error, f"{place}: {path}", AnalyzerCheck)[0]
        raise InputError(
            f"{problem}; it must be what evenhand analyzers check --json prints", next_step=hint
        ) from error
    except ValueError as error:
        # A name that no file can have, such as one with a null byte.
        raise InputError(f"{place}: {str(path)!r}: cannot be read: {error}") from error


def _check_same(check: AnalyzerCheck, part: AnalyzerSpec, analyzer: Analyzer, place: str) -> None:
    info = analyzer.info
    again = _check_command(part)
    if check.analyzer != info.name:
        raise InputError(
            f"{place}: must be a check of the analyzer {info.name}; got one of {check.analyzer}",
            next_step=again,
        )
    if check.version != info.version:
        raise InputError(
            f"{place}: must be a check of {info.name} {info.version}; got one of version {check.version}: "
            "what another version reads says nothing of this one",
            next_step=again,
        )
    if check.measure not in info.measures:
        raise InputError(
            f"{place}: measure must be one of {', '.join(info.measures)} of {info.name}; "
            f"got {check.measure!r}",
            next_step=again,
        )
    used = [one for one in known_measures(info.declared) if one.analyzer == info.name]
    if not any(_rates_of(check, "").fit(one) for one in used):
        raise InputError(
            f"{place}: none of its labels fits this run: no rate is made of {check.measure} of {info.name} "
            f"at the threshold {check.threshold:g}",
            next_step=again,
        )
    plugin = load_plugin(ANALYZERS, part.use, where=place)
    given, wanted = (validated_options(plugin, one, where=place) for one in (check.options, part.options()))
    if given != wanted:
        raise InputError(
            f"{place}: must be a check of {info.name} with the options of the spec, {part.options()!r}; "
            f"got one with {check.options!r}",
            next_step=again,
        )


def _rates(check: AnalyzerCheck, path: Path) -> ErrorRates:
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return _rates_of(check, f"{path.name}, SHA-256 {digest[:_DIGITS]}")


def _rates_of(check: AnalyzerCheck, source: str) -> ErrorRates:
    return ErrorRates(
        analyzer=check.analyzer,
        reading=check.measure,
        threshold=check.threshold,
        source=source,
        cells=tuple(
            ErrorCell(
                group=cell.group,
                language=cell.language,
                cluster=cell.cluster,
                true_positive=cell.confusion.true_positive,
                false_negative=cell.confusion.false_negative,
                true_negative=cell.confusion.true_negative,
                false_positive=cell.confusion.false_positive,
            )
            for cell in check.cells
        ),
        unread=check.confusion.undetermined_positive + check.confusion.undetermined_negative,
    )
