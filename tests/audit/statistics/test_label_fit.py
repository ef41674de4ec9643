"""Whether labels fit answers: how often the check refuses labels that do, and those that do not."""

import numpy as np
import pytest

from audit.errors import NotMeasuredError
from audit.statistics.error_rates import Calibration, calibrate
from audit.statistics.label_fit import ReadRate, check_fit, read_rate, read_rate_of_strata
from probes.seeds import rng

TEMPLATES, REPLIES = 40, 4


def labelled(hits: int, positives: int, alarms: int, negatives: int) -> Calibration:
    """Error rates of so many labels, each independent."""
    flags = [1] * hits + [0] * (positives - hits) + [1] * alarms + [0] * (negatives - alarms)
    return calibrate(flags, [1] * positives + [0] * negatives)


def fits(read: ReadRate, calibration: Calibration) -> bool:
    """Whether the labels are not refused at 95 %."""
    try:
        check_fit(read, calibration, level=0.95, of="women")
    except NotMeasuredError:
        return False
    return True


@pytest.mark.parametrize(
    ("sensitivity", "false_positive", "truth", "most"),
    [
        (0.9, 0.1, 0.0, 0.075),
        (0.9, 0.02, 0.0, 0.075),
        (0.8, 0.3, 0.0, 0.075),
        (0.9, 0.1, 1.0, 0.075),
        (0.9, 0.1, 0.05, 0.03),
        (0.9, 0.1, 0.5, 0.0),
    ],
)
def test_labels_of_such_answers_are_rarely_refused(
    sensitivity: float, false_positive: float, truth: float, most: float
) -> None:
    """At most about 5 % of audits are refused where the true rate is 0 or 1 itself; hardly any elsewhere.

    The error rates vary between templates, in the answers and so in what each template's replies share.
    """
    draw, n, refused = rng(17, "label fit", str((sensitivity, false_positive, truth))), 100, 0
    runs = 600
    for _ in range(runs):
        rates = [
            draw.beta(rate * 20, (1 - rate) * 20, TEMPLATES)[:, None]
            for rate in (sensitivity, false_positive)
        ]
        real = draw.random((TEMPLATES, REPLIES)) < truth
        read = draw.random((TEMPLATES, REPLIES)) < np.where(real, *rates)
        hits, alarms = (int(draw.binomial(n, rate)) for rate in (sensitivity, false_positive))
        found = read_rate(read.sum(axis=1), np.full(TEMPLATES, REPLIES))
        refused += not fits(found, labelled(hits, n, alarms, n))
    assert refused / runs <= most


def test_labels_of_harder_answers_are_refused() -> None:
    """False alarms of 22 % by 92 labels where 13 % are read as positive: the true rate would be below 0."""
    draw = rng(3, "harder answers")
    read = draw.random((88, 8)) < 0.127
    found = read_rate(read.sum(axis=1), np.full(88, 8))
    with pytest.raises(NotMeasuredError, match=r"^labels do not fit .* of women .* below the false-positive"):
        check_fit(found, labelled(23, 26, 20, 92), level=0.95, of="women")
    high = ReadRate(value=0.95, variance=1e-4, df=40.0)
    with pytest.raises(NotMeasuredError, match=r"surely above the sensitivity of 60\.0 %"):
        check_fit(high, labelled(60, 100, 5, 100), level=0.95, of="women")


def test_the_read_rate_is_clustered_and_never_without_error() -> None:
    """Replies that agree within templates are worth one; where nothing differs some error is left."""
    apart = read_rate([1] * 20, [4] * 20)
    together = read_rate([4] * 5 + [0] * 15, [4] * 20)
    assert apart.value == together.value == 0.25
    assert together.variance == pytest.approx(0.25 * 0.75 / 19)
    assert apart.variance > 0
    strata = read_rate_of_strata(
        [np.array([1.0, 0.0]), np.zeros(2)], [np.array([1.0, 1.0]), np.array([1.0, 0.0])]
    )
    assert strata.value == 0.25
    assert strata.variance > 0
