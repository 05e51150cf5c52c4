import type { Graph, Node, Value } from './graph.js';

/**
 * Whether two graphs are the same: the same ops with the same attributes and connections, in the same layers, with inputs and
 * outputs of the same names. What one program computes, one of the other graph computes, too, bit for bit.
 */
export function sameGraph(a: Graph, b: Graph): boolean {
  if (a === b) return true;
  if (a.nodes.length !== b.nodes.length) return false;
  const placeInA = placesOf(a.nodes);
  const placeInB = placesOf(b.nodes);
  const sameValue = (x: Value, y: Value): boolean =>
    x.index === y.index &&
    x.dtype === y.dtype &&
    isEqual(x.shape, y.shape) &&
    placeInA.get(x.node) === placeInB.get(y.node);
  const sameValues = (x: readonly Value[], y: readonly Value[]): boolean =>
    x.length === y.length && x.every((value, i) => sameValue(value, y[i] ?? value));
  const sameNode = (x: Node, y: Node | undefined): boolean =>
    y !== undefined &&
    x.op === y.op &&
    x.scope === y.scope &&
    sameValues(x.inputs, y.inputs) &&
    sameValues(x.outputs, y.outputs) &&
    isEqual(x.attributes, y.attributes);
  return (
    isEqual(Object.keys(a.outputs), Object.keys(b.outputs)) &&
    sameValues(Object.values(a.outputs), Object.values(b.outputs)) &&
    isEqual(Object.keys(a.inputs), Object.keys(b.inputs)) &&
    a.nodes.every((node, i) => sameNode(node, b.nodes[i]))
  );
}

function placesOf(nodes: readonly Node[]): ReadonlyMap<Node, number> {
  return new Map(nodes.map((node, place) => [node, place]));
}

/** Plain data that is equal in all its parts; numbers to the bit. */
function isEqual(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return false;
  const [own, others] = [Object.entries(a), Object.entries(b)];
  return (
    own.length === others.length &&
    own.every(([key, value]) => isEqual(value, (b as Record<string, unknown>)[key]))
  );
}
