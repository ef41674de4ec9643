"""The benchmark of collection, in a reduced form."""

from pathlib import Path

import pytest

from benchmarks.collection import throughput


def test_throughput_is_measured_for_everybody(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each loop and Evenhand ask everything once in flight as told, and absent rivals are skipped aloud."""
    asked = throughput.Asked(requests=100, rival_requests=10, in_flight=20, latency=0.02, rounds=1)
    found = throughput.measure(asked, tmp_path)
    assert set(found.rates) == {*throughput.LOOPS, throughput.OWN}
    assert set(found.most.values()) == {20}
    assert all(0 < rate < 20 / 0.02 for (rate,) in found.rates.values())
    assert "garak: skipped" in capsys.readouterr().out
    rows = throughput.table(found).splitlines()
    assert len(rows) == 6
    assert all("(1 round)" in row for row in rows[2:5])
