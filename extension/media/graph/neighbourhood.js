/** Part of a graph that is too large to draw: the nodes nearest to one of them. */

const WIDELY_USED = 24;
const neighbours = new WeakMap();

/**
 * A graph for Netron with at most `most` nodes, those nearest to the node called `name`, in their order. Everything else
 * of it is the whole graph's.
 */
export function near(graph, name, most) {
  const { nodes } = graph;
  const first = Math.max(
    0,
    nodes.findIndex((node) => node.name === name),
  );
  const found = new Set([first]);
  for (const index of found) {
    for (const next of adjacent(graph)[index]) {
      if (found.size < most) found.add(next);
    }
  }
  const kept = [...found].sort((a, b) => a - b).map((index) => nodes[index]);
  const read = new Set(kept.flatMap((node) => values(node.inputs)));
  const written = new Set(kept.flatMap((node) => values(node.outputs)));
  return Object.create(graph, {
    nodes: { value: kept },
    inputs: { value: graph.inputs.filter((argument) => values([argument]).some((value) => read.has(value))) },
    outputs: { value: graph.outputs.filter((argument) => values([argument]).some((value) => written.has(value))) },
  });
}

/** For each node the indices of the nodes that it shares a value with, those that feed it first. */
function adjacent(graph) {
  if (neighbours.has(graph)) return neighbours.get(graph);
  const writer = new Map();
  const readers = new Map();
  graph.nodes.forEach((node, index) => {
    for (const value of values(node.outputs)) writer.set(value, index);
    for (const value of values(node.inputs)) {
      if (!readers.has(value)) readers.set(value, []);
      readers.get(value).push(index);
    }
  });
  const lists = graph.nodes.map((node) => [
    ...values(node.inputs).flatMap((value) => (writer.has(value) ? [writer.get(value)] : [])),
    ...values(node.outputs).flatMap((value) => (readers.get(value) ?? []).slice(0, WIDELY_USED)),
  ]);
  neighbours.set(graph, lists);
  return lists;
}

function values(list) {
  return list
    .flatMap((argument) => (Array.isArray(argument.value) ? argument.value : []))
    .filter((value) => value?.name && !value.initializer)
    .map((value) => value.name);
}
