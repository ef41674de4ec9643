"""The benchmark of collection, in a reduced form."""

from pathlib import Path

import pytest

from benchmarks.collection import lasting, scale, spreading, throughput


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


def test_a_faulty_server_leaves_nothing_unaccounted_for() -> None:
    """Everything ends answered or errored, nothing twice, and the limit is shown over time."""
    found = lasting.faults(100, share=0.2, stall=1.0, timeout=0.5)
    assert found.answered + found.errored == found.planned == 100
    assert (found.stored_twice, found.answered_twice) == (0, 0)
    assert found.requests > 100
    assert found.limits[0][1] >= found.limits[-1][1]


def test_a_server_that_takes_few_requests_at_once_is_asked_less() -> None:
    """The limit goes to about what a server takes that refuses more, and nothing is unaccounted for."""
    found = lasting.faults(800, share=0.05, stall=1.0, timeout=5.0, room=20)
    assert found.answered + found.errored == found.planned == 800
    assert found.limits[0][1] == 100
    assert 10 <= min(found.held) <= 30


@pytest.mark.slow
def test_kills_and_a_full_disk_change_nothing() -> None:
    """What was stored or acknowledged stays and is not asked again, and the findings are the same."""
    # Few in flight, so that a busy machine does not answer all of them before a kill comes.
    found = lasting.kills(1000, 3, in_flight=20)
    assert (found.kills, found.lost, found.asked_again) == (3, 0, 0)
    assert found.answered == found.planned
    assert "everything stored before is kept" in found.full_disk
    assert found.same_findings


@pytest.mark.slow
def test_scale_is_measured() -> None:
    """The share of what latency allows, and memory and first request of a planned run, are had by flags."""
    (share,) = scale.latency(200, 20, 0.1, 1)
    assert 0.1 < share <= 1.0
    found = scale.memory(8000, answered=2000, requests=2000)
    assert min(found.first_request_s, found.later_request_s) > 0
    assert 2000 <= found.requests <= 6000
    assert found.largest_mib > 20
    assert found.slope_mib[1] < found.slope_mib[0] < found.slope_mib[2]


@pytest.mark.slow
def test_processes_are_measured_beside_each_other() -> None:
    """One process and two ask everything with the calls in flight that were told, and are held together."""
    setting = spreading.Setting(in_flight=20, latency=0.05, processes=(1, 2))
    (found,) = spreading.measure([setting], requests=400, rounds=2)
    assert found.most == {1: 20, 2: 20}
    assert found.own_ms[2][0] < found.all_ms[2][0]
    rows = spreading.table([found]).splitlines()
    assert len(rows) == 4
    assert rows[-1].endswith("2 rounds |")
