"""The graph of a checked model for the viewer: its outline, what each node shows, and where it comes from."""

from __future__ import annotations

import asyncio
from functools import partial
from pathlib import Path
from typing import Any, cast

from aipc.core.accuracy import NodeError
from aipc.core.errors import AipcError
from aipc.core.plain_data import to_plain

from ..check_state import CheckState, current_places
from ..documents import ErrorDetails, GraphAnswer, Overlay, OverlayFigures, OverlayFinding, OverlayNode, ServerError
from ..server import AipcServer
from .commands import answer_error, file_of, untrusted


def register(server: AipcServer) -> None:
    @server.command("aipc.server.graph")
    async def graph(argument: dict[str, Any]) -> Any:
        """The outline of a model that was checked; checks it first when it was not."""
        if not server.trusted:
            return untrusted("showing its graph")
        reference = argument["model"]
        checked = server.results.get(reference)
        if checked is None or not checked.report.graph:
            await server.checker.check(reference, file_of(argument))
            checked = server.results.get(reference)
        if checked is None or not checked.report.graph:
            finding = checked.findings[0] if checked and checked.findings else None
            message = finding.message if finding else "the model was not captured"
            place = to_plain(finding.range) if finding and finding.range else None
            return ServerError(error=ErrorDetails(kind="NoGraph", message=message, remedy="", range=place))
        from aipc import engine

        run = partial(engine.graph, checked.report, server.pool)
        try:
            path = await asyncio.to_thread(run)
        except AipcError as error:
            return answer_error(error)
        return GraphAnswer(path=str(path), nodes=checked.report.nodes, overlay=overlay(server, checked))

    @server.command("aipc.server.overlay")
    def colours(argument: dict[str, Any]) -> Overlay | None:
        checked = server.results.get(argument["model"])
        return overlay(server, checked) if checked else None

    @server.command("aipc.server.nodesAt")
    def nodes_at(argument: dict[str, Any]) -> list[str]:
        """The nodes that the lines of a selection made."""
        path = server.file_of(argument["uri"])
        checked = server.results.get(argument["model"])
        if checked is None or path is None:
            return []
        first, last = argument["first"] + 1, argument["last"] + 1
        return list(
            dict.fromkeys(
                place.node.node
                for place in current_places(checked, path, server.lines(path))
                if place.range.start.line <= last and place.range.end.line >= first
            )
        )

    @server.command("aipc.server.expressionOf")
    def expression_of(argument: dict[str, Any]) -> Any:
        """Where the expression that made a node is now."""
        checked = server.results.get(argument["model"])
        for file in checked.places if checked else ():
            assert checked
            for place in current_places(checked, file, server.lines(file)):
                if place.node.node == argument["node"]:
                    return to_plain(place.range)
        return None


def shown_error(error: NodeError) -> OverlayFigures:
    """The figures of a node that the viewer shows; what was not measured is left out."""
    figures = {
        "sqnr_db": error.sqnr_db,
        "introduced_db": error.introduced_sqnr_db,
        "effect_db": error.effect_sqnr_db,
    }
    shown = {name: max(min(value, 200.0), -200.0) for name, value in figures.items() if value is not None}
    if error.effect_sqnr_db is not None:
        shown["share"] = error.share
    return cast(OverlayFigures, shown)


def overlay(server: AipcServer, checked: CheckState) -> Overlay:
    """What is shown on the nodes."""
    wrong = {node for finding in checked.findings if finding.rule == "wrong-numbers" for node in finding.nodes}
    nodes = {}
    for node in checked.report.node_placements:
        error = checked.accuracy.get(node.node)
        entry = OverlayNode(placement="wrong" if node.node in wrong else node.placement.value)
        if node.reason:
            entry["reason"] = node.reason
        if error:
            entry = cast(OverlayNode, {**entry, **shown_error(error)})
        if (time := checked.latency.get(node.node)) and time.microseconds is not None:
            entry["latency_us"] = round(time.microseconds, 1)
        nodes[node.node] = entry
    findings = [
        OverlayFinding(
            id=str(number),
            rule=finding.rule,
            severity=finding.severity.value,
            message=finding.message,
            nodes=list(finding.nodes),
        )
        for number, finding in enumerate(checked.findings)
    ]
    stale = any(checked.is_stale(file, server.lines(file)) for file in checked.texts if Path(file).is_file())
    report = checked.report
    answer: Overlay = to_plain(Overlay(model=report.model, soc=report.soc, stale=stale, nodes=nodes, findings=findings))
    return answer
