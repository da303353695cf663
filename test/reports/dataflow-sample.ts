/** Small runs on an RDU, as reports see them. */
import { simulateDataflow } from '../../models/dataflow/simulate.ts';
import type { Result } from '../../models/result.ts';
import { parseDataflowMapping } from '../../workloads/language/dataflow-mapping.ts';
import { parseWorkload } from '../../workloads/language/load.ts';
import { shippedMachine } from '../models/machines.ts';

const chain = `workload: chain
dtype: bf16
ranks: { B: 256, K: 64, J: 64, L: 32 }
inputs: X[b,k]  F[k,j]  W[j]  G[j,l]
output: Y[b,l]

cascade: |
  P[b,j] = X[b,k] * F[k,j]
  Q[b,j] = P[b,j] * W[j]
  Y[b,l] = Q[b,j] * G[j,l]
`;

/** Three operators on a grid of 4 x 6 sites, as one pipeline or as a section of each. */
export function dataflowSample(fuse: 'all' | 'none' = 'all'): Result {
  return simulateDataflow({
    arch: shippedMachine('sn40l', ['parts.rdu.grid.rows=4', 'parts.rdu.grid.columns=6']),
    workload: parseWorkload(chain, 'chain.yaml'),
    mapping: parseDataflowMapping(`mapping: mine\nfuse: ${fuse}\nstream: B\ntile: 32\n`, 'mine.yaml'),
  });
}
