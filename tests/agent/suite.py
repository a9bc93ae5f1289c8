"""Plays the cases with a real endpoint: ``python -m tests.agent.suite [CASE ...] [--keep DIR]``.

The endpoint is the one of AIPC_AGENT_MODEL, AIPC_AGENT_BASE_URL and AIPC_AGENT_API_KEY. Prints, for each case, whether
it was solved, the rounds, the tokens and the cost. A question to the user counts as a yes: the cases that ask are about
that. With ``--replay`` the recorded replies take the model's place.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from aipc import engine
from aipc.agent.verdicts import AgentReport, Budget
from aipc.core.errors import AipcError
from aipc.core.workers import WorkerPool

from .cases import all_cases


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.agent.suite", description=__doc__)
    parser.add_argument("cases", nargs="*", help="names; all by default")
    parser.add_argument("--keep", type=Path, help="directory for the projects and their traces")
    parser.add_argument("--tokens", type=int, default=100_000, help="cap for each case")
    parser.add_argument("--replay", action="store_true", help="use the recorded replies")
    given = parser.parse_args(arguments)
    chosen = [item for item in all_cases() if not given.cases or item.name in given.cases]
    budget = Budget(tokens=10**8 if given.replay else given.tokens)
    reached, totals = 0, [0, 0]
    with tempfile.TemporaryDirectory() as temporary, WorkerPool() as pool:
        pool.warm()
        print(
            f"{'case':24} {'ended':14} {'as expected':12} {'rounds':>6} {'prompt':>8} {'reply':>7} {'cost':>8} {'s':>6}"
        )
        for case in chosen:
            folder = (given.keep or Path(temporary)) / case.name
            request = case.request(folder.resolve(), budget=budget, replay=given.replay)
            ask = None if given.replay else lambda question: "yes"
            try:
                report = engine.agent(request, pool, ask=ask)
            except AipcError as error:
                print(f"{case.name:24} {error}")
                if not totals[0]:
                    return 2
                continue
            as_expected = report.stopped.value == case.expect
            reached += as_expected
            totals[0] += report.usage.tokens
            totals[1] += report.usage.requests
            print(_row(case.name, report, as_expected), flush=True)
    print(f"{reached} of {len(chosen)} as expected, {totals[1]} rounds, {totals[0]} tokens")
    return 0 if reached == len(chosen) else 1


def _row(name: str, report: AgentReport, as_expected: bool) -> str:
    usage = report.usage
    cost = "-" if usage.cost is None else f"{usage.cost:.4f}"
    guessed = "~" if usage.estimated else " "
    return (
        f"{name:24} {report.stopped.value:14} {'yes' if as_expected else 'no':12} {usage.requests:6} "
        f"{guessed}{usage.prompt:7} {usage.completion:7} {cost:>8} {usage.seconds:6.0f}"
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
