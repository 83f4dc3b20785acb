import { CloudEasyMLError } from '../errors.js';
import type { GraphBuilder } from './graphBuilder.js';

/** A regression tree: a row whose `feature` is less than `threshold` goes left. */
export type RegressionTree =
  | { value: number }
  | { feature: number; threshold: number; left: RegressionTree; right: RegressionTree };

/**
 * The least float32 that is not less than a float64: for every float32 x, `x < threshold` holds
 * exactly where `x < leastFloat32(threshold)` does.
 */
function leastFloat32(threshold: number): number {
  const nearest = Math.fround(threshold);
  if (nearest >= threshold) return nearest;
  const bits = new DataView(new ArrayBuffer(4));
  bits.setFloat32(0, nearest);
  // A float's bits, counted up by one, are the next float away from zero.
  if (nearest === 0) bits.setInt32(0, 1);
  else bits.setInt32(0, bits.getInt32(0) + (nearest > 0 ? 1 : -1));
  return bits.getFloat32(0);
}

/**
 * Adds a `TreeEnsembleRegressor` (ai.onnx.ml 3) to a graph: the sum of its trees and a base value.
 *
 * Thresholds are float64 and the operator compares in float32; they are rounded so that every
 * float32 row takes the branch that it would have taken in float64.
 *
 * @param input a value of shape [batch, features], float32
 * @returns the name of a value of shape [batch, 1], float32
 */
export function treeEnsembleRegressor(
  graph: GraphBuilder,
  input: string,
  trees: readonly RegressionTree[],
  baseValue = 0,
): string {
  if (trees.length === 0) {
    throw new CloudEasyMLError('invalid_input', 'Expected a tree ensemble to have a tree.');
  }
  const nodes = {
    treeIds: [] as bigint[],
    nodeIds: [] as bigint[],
    features: [] as bigint[],
    modes: [] as string[],
    thresholds: [] as number[],
    trueIds: [] as bigint[],
    falseIds: [] as bigint[],
  };
  const leaves = { treeIds: [] as bigint[], nodeIds: [] as bigint[], weights: [] as number[] };

  trees.forEach((tree, treeIndex) => {
    const treeId = BigInt(treeIndex);
    let nodeCount = 0n;
    const add = (node: RegressionTree): bigint => {
      const nodeId = nodeCount++;
      const row = nodes.nodeIds.length;
      const isLeaf = 'value' in node;
      nodes.treeIds.push(treeId);
      nodes.nodeIds.push(nodeId);
      nodes.features.push(isLeaf ? 0n : BigInt(node.feature));
      nodes.modes.push(isLeaf ? 'LEAF' : 'BRANCH_LT');
      nodes.thresholds.push(isLeaf ? 0 : leastFloat32(node.threshold));
      nodes.trueIds.push(0n);
      nodes.falseIds.push(0n);
      if (isLeaf) {
        leaves.treeIds.push(treeId);
        leaves.nodeIds.push(nodeId);
        leaves.weights.push(node.value);
      } else {
        nodes.trueIds[row] = add(node.left);
        nodes.falseIds[row] = add(node.right);
      }
      return nodeId;
    };
    add(tree);
  });

  return graph.node('TreeEnsembleRegressor', [input], {
    domain: 'ai.onnx.ml',
    attributes: {
      aggregate_function: 'SUM',
      base_values: [baseValue],
      n_targets: 1n,
      nodes_treeids: nodes.treeIds,
      nodes_nodeids: nodes.nodeIds,
      nodes_featureids: nodes.features,
      nodes_modes: nodes.modes,
      nodes_values: nodes.thresholds,
      nodes_truenodeids: nodes.trueIds,
      nodes_falsenodeids: nodes.falseIds,
      target_treeids: leaves.treeIds,
      target_nodeids: leaves.nodeIds,
      target_ids: leaves.nodeIds.map(() => 0n),
      target_weights: leaves.weights,
    },
  });
}
