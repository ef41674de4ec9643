"""The benchmark of the store, in a reduced form."""

from benchmarks.store.run import STEPS, measure, table


def test_every_step_is_timed_and_everything_is_stored_and_read() -> None:
    """A small store goes through every step, and the table states each by size with its ratio."""
    found = measure(400)
    assert set(found) == {*STEPS, "memory"}
    assert all(value > 0 for value in found.values())
    rows = table({400: found, 800: {name: 2 * value for name, value in found.items()}}).splitlines()
    assert len(rows) == 2 + len(STEPS) + 1
    assert rows[0] == "| step | 400 outputs | 800 outputs |"
    # Twice the time for twice the outputs is the same cost.
    assert rows[3].endswith("(1.00) |")
