"""What must not get worse: sure losses, and those that are not ruled out."""

from audit.records import Change, NonInferiority, Verdict
from audit.repaired.losses import bounded, loss_words, not_shown, surely_worse


def _rate(measure: str, domain: str, verdict: str | None, technique: str | None = None) -> Change:
    missing = ("attribute", "group", "reference_group", "signal", "p_value", "p_adjusted")
    fields: dict[str, object] = dict.fromkeys(missing)
    fields |= {"measure": measure, "kind": "rate", "domain": domain, "technique": technique, "level": 0.95}
    fields |= {"before": 0.1, "after": 0.2, "change": 0.1, "ci_low": 0.0, "ci_high": 0.2, "method": "x"}
    fields |= {"n_outputs": 9, "n_clusters": 9, "verdict": "inconclusive"}
    fields |= {"before_verdict": Verdict.WITHIN, "after_verdict": Verdict.WITHIN}
    if verdict is not None:
        said = {"margin": 0.05, "worse": "higher", "bound": 0.2, "verdict": verdict}
        fields["non_inferiority"] = NonInferiority.model_validate(said)
    return Change.model_validate(fields)


def test_sure_losses_and_those_not_ruled_out_are_told_apart() -> None:
    """A loss is told wherever it is sure; doubt is told of whole measures, or of all there is of one."""
    changes = [
        _rate("harm", "all", "not_shown"),
        _rate("harm", "all", "non_inferior", "base64"),
        _rate("harm", "fraud", "not_shown"),
        _rate("harm", "drugs", "inferior"),
        _rate("toxic", "lending", "not_shown", "roleplay"),
        _rate("even", "all", None),
    ]
    assert [loss_words(one) for one in surely_worse(changes)] == ["harm, drugs"]
    assert [loss_words(one) for one in not_shown(changes)] == ["harm, all", "toxic, lending (roleplay)"]
    assert bounded(changes) == (changes[0], changes[1], changes[3], changes[4])


def test_nothing_stated_is_no_loss() -> None:
    """Without rates that have a worse direction there is nothing to tell, and nothing to promise."""
    assert surely_worse([]) == not_shown([]) == bounded([]) == ()
