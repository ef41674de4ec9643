"""The files of one run, by name."""

from dataclasses import dataclass
from pathlib import Path

__all__ = ["RunFolder"]


@dataclass(frozen=True, slots=True)
class RunFolder:
    """Where the parts of a run lie; nothing here reads or writes."""

    path: Path

    @property
    def database(self) -> Path:
        """Prompts, outputs and scores."""
        return self.path / "run.sqlite"

    @property
    def spec(self) -> Path:
        """The spec with every default filled in, without secrets."""
        return self.path / "spec.yaml"

    @property
    def plan(self) -> Path:
        """Counts, hashes, seed and what the design can see."""
        return self.path / "plan.json"

    @property
    def collection(self) -> Path:
        """What collecting took, over all invocations."""
        return self.path / "collection.json"

    @property
    def findings(self) -> Path:
        """Findings and every estimate."""
        return self.path / "findings.json"

    @property
    def report(self) -> Path:
        """The report for people."""
        return self.path / "report.html"

    @property
    def raters(self) -> Path:
        """What models that analyzers ask were asked, and what they answered: a store a book."""
        return self.path / "raters"

    @property
    def review_sample(self) -> Path:
        """Answers drawn at random for people to label; lines are only added."""
        return self.path / "review-sample.jsonl"

    @property
    def reviews(self) -> Path:
        """People's labels; lines are only added."""
        return self.path / "reviews.jsonl"

    @property
    def retraining(self) -> Path:
        """Retraining files, with their card."""
        return self.path / "retraining"
