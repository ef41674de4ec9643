"""Readers of choices by their options, with the shipped words; decisions and refusals are read with them."""

from audit.analyzers.decision.choices import ChoiceReader, Families
from probes import data

__all__ = ["ChoiceReaders"]


class ChoiceReaders:
    """One `ChoiceReader` for each tuple of options, built when it is first asked for."""

    def __init__(self) -> None:
        """Load the shipped lexicon."""
        lexicon = data.read_yaml(data.find("lexicons", "decision_en", "families.yaml"))
        self._families: Families = {name: lexicon[name] for name in ("favour", "disfavour")}
        self._unknown = tuple(str(phrase) for phrase in lexicon["unknown"]["phrases"])
        self._readers: dict[tuple[str, ...], ChoiceReader] = {}

    def of(self, options: tuple[str, ...]) -> ChoiceReader:
        """The reader of these options.

        Args:
            options: The accepted answers, two or more, distinct.
        """
        reader = self._readers.get(options)
        if reader is None:
            reader = self._readers[options] = ChoiceReader(options, self._families, self._unknown)
        return reader
