"""Where the nodes of a graph come from: from a node of any later graph back to the captured nodes it stands for.

Every step that changes a graph says which nodes each of its nodes was made from. This is the only place that goes back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from .types import SourceMap


@dataclass(frozen=True, slots=True)
class Provenance:
    """``derived``: node of a graph -> the nodes of an earlier graph that it stands for.

    A node that is not listed stands for itself: an empty provenance is that of a graph that nothing changed.
    """

    derived: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def sources(self, nodes: Iterable[str]) -> tuple[str, ...]:
        """The nodes of the earlier graph that ``nodes`` stand for, each once, in their order."""
        return tuple(dict.fromkeys(source for node in nodes for source in self.derived.get(node, (node,))))

    def then(self, later: Provenance) -> Provenance:
        """Of a graph that was made from this provenance's graph, back to the nodes that this one goes back to."""
        if not later.derived:
            return self
        return Provenance({node: self.sources(sources) for node, sources in later.derived.items()})

    def source_map(self, earlier: SourceMap) -> SourceMap:
        """The source map of the later graph, from that of the earlier one. A merged node has all origins of both."""
        if not self.derived:
            return earlier
        return SourceMap(
            {
                node: tuple(dict.fromkeys(origin for source in sources for origin in earlier.origins(source)))
                for node, sources in self.derived.items()
            }
        )
