"""Work spread over processes."""

from benchmarks.processes import in_processes


def test_results_come_in_the_order_of_what_was_asked() -> None:
    """Fresh processes give back what the function gives, in order, whoever is done first."""
    assert list(in_processes(abs, [-3, 1, -2])) == [3, 1, 2]
