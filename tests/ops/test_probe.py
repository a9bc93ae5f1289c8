"""Probing, really: verdicts with reasons, a journal that is continued, and crashes that cost one case."""

from __future__ import annotations

import os
import signal
import threading

import pytest

from aipc.core.errors import WorkerCrashedError
from aipc.core.workers import WorkerPool
from aipc.ops import probe as prober
from aipc.ops import run
from aipc.ops import worker_jobs as ops_jobs
from aipc.ops.journal import ProbeJournal
from aipc.ops.measurements import CPU, FAILS, NO_EXPORT, RUNS, WRONG, CaseFacts, Measured, ProbeProgress

CASES = {
    "relu": (RUNS, ""),
    "mish": (CPU, "Operators of type `Mish` are not supported"),
    "mul[dtype=int32,beyond 32 bits]": (WRONG, "instead of"),
    "lgamma": (NO_EXPORT, "lgamma"),
    "relu[rank=6]": (CPU, "has incorrect Rank 6"),
}


@pytest.fixture(scope="module")
def pool(tmp_path_factory):
    before = os.environ.get("AIPC_CACHE_DIR")
    os.environ["AIPC_CACHE_DIR"] = str(tmp_path_factory.mktemp("cache"))
    with WorkerPool() as workers:
        yield workers
    if before is None:
        del os.environ["AIPC_CACHE_DIR"]
    else:
        os.environ["AIPC_CACHE_DIR"] = before


@pytest.fixture(scope="module")
def cases(pool):
    return {case.id: case for case in pool.run(ops_jobs.DESCRIBE, {})}


def probe(pool, cases, names, socs=("sm8650",), more=None, **options):
    versions = {**run.versions(), **(more or {})}
    return prober.probe([cases[name] for name in names], socs, versions, pool, lambda event: None, **options)


@pytest.fixture(scope="module")
def probed(pool, cases):
    return probe(pool, cases, CASES)


@pytest.mark.parametrize("name", CASES)
def test_a_case_gets_its_verdict_and_the_compiler_s_words(probed, name):
    verdict, words = CASES[name]
    measured = probed.results[name, "sm8650"]
    assert measured.verdict == verdict
    assert words in measured.reason


def test_what_was_exported_and_called_is_known(probed):
    assert probed.facts["relu"].nodes == ("Relu",)
    assert "aten.relu.default" in probed.facts["relu"].operators
    assert "torch.nn.functional.relu" in probed.facts["relu"].called


def test_a_second_probe_takes_everything_from_the_journal(pool, cases, probed):
    again = probe(pool, cases, CASES)
    assert again.measured == 0
    assert {key: item.verdict for key, item in again.results.items()} == {
        key: item.verdict for key, item in probed.results.items()
    }


def test_a_fresh_probe_measures_again(pool, cases, probed):
    again = probe(pool, cases, ["relu"], fresh=True)
    assert again.measured == 1


def test_old_chips_fail_where_new_ones_run(pool, cases):
    found = probe(pool, cases, ["elu[alpha=1.0]"], ("sm8350", "sm8650"))
    assert found.results["elu[alpha=1.0]", "sm8350"].verdict == FAILS
    assert "could not create op" in found.results["elu[alpha=1.0]", "sm8350"].reason
    assert found.results["elu[alpha=1.0]", "sm8650"].verdict == RUNS


class CrashingPool:
    """Dies at one case as often as it is asked about it on one SoC."""

    def __init__(self, at):
        self.at = at
        self.asked = []

    def run(self, job, arguments, *, on_event, limits, cancel):
        for case in arguments["cases"]:
            on_event(ProbeProgress(case))
            on_event(ProbeProgress(case, facts=CaseFacts(content=case)))
            for soc in arguments["socs"]:
                if arguments["known"].get((case, soc)) == case:
                    on_event(ProbeProgress(case, soc, known=True))
                    continue
                on_event(ProbeProgress(case, soc))
                self.asked.append((case, soc))
                if (case, soc) == self.at:
                    raise WorkerCrashedError("the process of the probe step died with SIGSEGV (a segmentation fault)")
                on_event(ProbeProgress(case, soc, measured=Measured(RUNS)))


def test_a_crash_costs_one_case_on_one_soc(tmp_path, monkeypatch, cases):
    monkeypatch.setenv("AIPC_CACHE_DIR", str(tmp_path))
    pool = CrashingPool(("mish", "sm8650"))
    names = ["relu", "mish", "cummax[dim=1]"]
    found = probe(pool, cases, names, ("sm8350", "sm8650", "sm8750"), processes=1)
    crashed = found.results["mish", "sm8650"]
    assert crashed.verdict == FAILS
    assert "SIGSEGV" in crashed.reason
    assert len(found.results) == 9
    assert sum(item.verdict == RUNS for item in found.results.values()) == 8
    assert pool.asked.count(("mish", "sm8650")) == 2, "a crash is confirmed before it is believed"
    assert pool.asked.count(("mish", "sm8350")) == 1


@pytest.mark.skipif(not hasattr(signal, "SIGALRM"), reason="this platform has no alarm")
def test_a_case_that_hangs_is_ended_and_said_to_be():
    state = prober._State(("sm8650",), _NoJournal(), False, False, 1, lambda event: None)
    prober._mark(ProbeProgress("relu", "sm8650"), "the process of the probe step died with SIGALRM (a signal)", state)
    assert "no answer within" in state.results["relu", "sm8650"].reason


class _NoJournal:
    def write(self, *values):
        return None


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_random_sample_of_the_shipped_data_is_measured_the_same_again(pool):
    found = run.recheck(pool, lambda event: None, percent=3, seed=1)
    assert found.agreement > 0.99, [(change.variant, change.soc) for change in found.changes]


def test_what_does_not_run_is_measured_rewritten(pool, cases):
    names = ["mish", "celu[alpha=2.0]", "relu"]
    only = {(name, "sm8650") for name in names}
    found = probe(pool, cases, names, more={"rewrites": "now"}, job=ops_jobs.PROBE_REWRITTEN, only=only)
    results = {name: found.results[name, "sm8650"] for name in names}
    assert {result.verdict for result in results.values()} == {RUNS}
    assert results["mish"].rules == ("mish",)
    assert results["celu[alpha=2.0]"].rules == ("celu",)
    assert results["relu"].rules == ()


def test_the_journal_can_be_read_while_others_write(tmp_path):
    journal = ProbeJournal(tmp_path, {"qairt": "test"})
    writer = threading.Thread(
        target=lambda: [journal.write(f"case {number}", "sm8650", "content", Measured(RUNS)) for number in range(400)]
    )
    writer.start()
    while writer.is_alive():
        journal.contents(["case 1"])
    writer.join()
    assert len(journal.contents([f"case {number}" for number in range(400)])) == 400


def test_what_a_measurement_and_a_proof_depend_on_are_files_that_there_are() -> None:
    """A file that was moved ended every probe and every proof."""
    import pkgutil

    import aipc.ops.catalogue as catalogue
    from aipc.ops.jobs import _sources
    from aipc.rewrites.proof_classes import _prover

    families = [item.name for item in pkgutil.iter_modules(catalogue.__path__) if not item.name.startswith("_")]
    assert all(_sources(families[0]))
    assert len(_prover()) == 64
