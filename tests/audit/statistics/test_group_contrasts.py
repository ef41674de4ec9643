"""Contrasts of several groups within clusters."""

import numpy as np
import numpy.typing as npt
import pytest

from audit.errors import NotMeasuredError
from audit.statistics.cluster_t import cluster_t_interval
from audit.statistics.group_contrasts import group_contrasts
from audit.statistics.maximum import max_t_intervals
from audit.statistics.multi_way import multi_way_cluster
from probes.seeds import rng


def random_means(name: str, templates: int, groups: int) -> npt.NDArray[np.float64]:
    """Means without ties, shape (T, G)."""
    return rng(43, name).uniform(0, 1, (templates, groups))


def test_grand_mean_contrasts_sum_to_nothing() -> None:
    """Deviations from the grand mean cover every group and sum to 0."""
    found = group_contrasts(random_means("grand", 30, 5))
    assert found.groups.tolist() == [0, 1, 2, 3, 4]
    assert found.points.sum() == pytest.approx(0, abs=1e-12)
    assert np.allclose(found.influence.sum(axis=0), 0)


def test_missing_cells_are_left_out() -> None:
    """A missing group mean drops that cluster for that contrast alone, and never counts as 0."""
    means = random_means("missing", 30, 3)
    means[:10, 2] = np.nan
    found = group_contrasts(means, reference=0)
    assert found.n_clusters.tolist() == [[30, 20]]
    single = cluster_t_interval(means[10:, 2] - means[10:, 0])
    second = max_t_intervals(found, rng=rng(43, "signs")).estimates[1]
    assert (second.point, second.standard_error) == pytest.approx((single.point, single.standard_error))
    assert second.df == 19
    assert (found.influence[:10, 1] == 0).all()


def test_squares_of_the_influence_are_the_variance() -> None:
    """Each domain has its own correction for few templates: the sum is that of the domains' own variances."""
    means = random_means("strata", 13, 3)
    found = group_contrasts(means, reference=0, strata=[7] * 3 + [4] * 10)
    apart = [means[:3, 2] - means[:3, 0], means[3:, 2] - means[3:, 0]]
    by_hand = sum(part.var(ddof=1) / part.size / 4 for part in apart)
    assert (found.influence[:, 1] ** 2).sum() == pytest.approx(by_hand)
    assert found.points[1] == pytest.approx(np.mean([part.mean() for part in apart]))
    assert found.n_clusters.tolist() == [[10, 10], [3, 3]]


def test_a_contrast_counts_the_domains_in_which_its_group_was_asked() -> None:
    """A group without any value in a domain is averaged over its other domains, and there only."""
    means = random_means("absent", 12, 3)
    means[:5, 2] = np.nan
    found = group_contrasts(means, reference=0, strata=[0] * 5 + [1] * 7)
    assert found.points[1] == pytest.approx((means[5:, 2] - means[5:, 0]).mean())
    assert found.n_clusters.tolist() == [[5, 0], [7, 7]]
    assert found.strata.tolist() == [0] * 5 + [1] * 7


def test_templates_that_domains_share_are_one_cluster() -> None:
    """Rows of one template add up before they are squared, as in clusters over strata that share them."""
    means = random_means("shared", 12, 2)
    template, stratum = [*range(6), *range(2, 8)], [0] * 6 + [1] * 6
    found = group_contrasts(means, reference=0, strata=stratum, clusters=template)
    assert found.influence.shape == (8, 1)
    assert found.strata.tolist() == [0] * 8
    d = means[:, 1] - means[:, 0]
    raw = np.concatenate([part - part.mean() for part in np.split(d, 2)]) / 12
    known = multi_way_cluster(raw, template, stratum)
    (one,) = max_t_intervals(found, rng=rng(43, "signs")).estimates
    assert (one.standard_error, one.df) == pytest.approx((known.standard_error, known.df))


@pytest.mark.parametrize(
    ("means", "reference", "message"),
    [
        ([1.0, 2.0], 0, "shape"),
        ([[1.0], [2.0]], 0, "shape"),
        ([[1.0, np.inf]], 0, "finite or nan"),
        ([[1.0, 2.0], [1.0, 2.0]], 2, "from 0 to 1; got 2"),
    ],
)
def test_bad_tables_are_refused(means: list[float], reference: int, message: str) -> None:
    """A table without two groups, with infinity or without the reference is refused."""
    with pytest.raises(ValueError, match=message):
        group_contrasts(means, reference=reference)


def test_too_few_clusters_are_not_measured() -> None:
    """One template, in all or in a domain, is too few; codes of another shape are a mistake."""
    with pytest.raises(NotMeasuredError, match="contrast of group 1 needs at least 2 clusters; got 1"):
        group_contrasts([[0.1, 0.2], [0.3, np.nan]], reference=0)
    with pytest.raises(NotMeasuredError, match="contrast of group 1 needs at least 2 clusters; got 0"):
        group_contrasts([[0.1, np.nan], [0.3, np.nan]], reference=0)
    with pytest.raises(NotMeasuredError, match="group 1 in each stratum needs at least 2 clusters; got 1"):
        group_contrasts([[0.1, 0.2], [0.3, 0.5], [0.3, 0.1]], reference=0, strata=[0, 0, 1])
    with pytest.raises(ValueError, match=r"strata must have the shape \(2,\)"):
        group_contrasts([[0.1, 0.2], [0.3, 0.1]], reference=0, strata=[0])
    with pytest.raises(ValueError, match="outside the bounds"):
        group_contrasts([[0.1, 0.2], [0.3, 0.1]], reference=0, bounds=(-0.1, 0.05))
