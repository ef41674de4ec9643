"""Checks of arguments."""

import numpy as np
import pytest

from audit.errors import NotMeasuredError
from audit.statistics.arguments import check_at_least, check_clusters, check_fraction, finite_vector


def test_messages_name_what_was_received_and_what_is_accepted() -> None:
    """Each check says in one line the name, the value received and the values accepted."""
    with pytest.raises(ValueError, match=r"^level must be in \(0, 1\); got nan$"):
        check_fraction("level", float("nan"))
    with pytest.raises(ValueError, match=r"^flips must be at least 1; got 0$"):
        check_at_least("flips", 0, 1)
    with pytest.raises(NotMeasuredError, match=r"^a rate needs at least 2 clusters; got 1$"):
        check_clusters("a rate", 1)
    with pytest.raises(ValueError, match=r"^values must be finite; got 2 nan or infinite values$"):
        finite_vector("values", [np.nan, 1.0, np.inf])
    with pytest.raises(ValueError, match=r"^values must have one dimension; got shape \(1, 2\)$"):
        finite_vector("values", [[1.0, 2.0]])


def test_accepted_values_pass_unchanged() -> None:
    """A float64 vector is returned as it is, without a copy."""
    values = np.array([1.0, 2.0])
    assert finite_vector("values", values) is values
    check_fraction("level", 0.5)
    check_at_least("flips", 1, 1)
    check_clusters("a rate", 2)
