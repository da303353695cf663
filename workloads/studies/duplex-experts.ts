/**
 * One expert of Mixtral, a quarter of it as four devices share it, by its tokens: on the array of Duplex, whose weights come over
 * the memory's bus, on its logic dies, and on units at the banks. Where the array is as fast lies the crossover, in tokens, which
 * with 2-byte weights is also in operations for each byte of weights. Measured is the product back to the hidden size.
 */
import { loadArch, loadServingMapping, parseServing, type Result, simulateServing, study } from '../../index.ts';
import type { DeviceRun } from './duplex/decode.ts';
import { placed } from './duplex/decode.ts';

const sides = {
  array: ['duplex', 'gpu-only'],
  'logic-pim': ['duplex', 'duplex-logic-pim'],
  'bank-pim': ['duplex-bank-pim', 'duplex-bank-pim'],
} as const;

type Side = keyof typeof sides;

interface Row {
  readonly side: Side;
  readonly tokens: number;
  readonly seconds: number;
}

function workloadOf(tokens: number): DeviceRun['workload'] {
  const text = `
workload: duplex-experts
model: { layers: 1, hidden: 4096, heads: 32, kvHeads: 8, ffn: 14336, experts: 1, activeExperts: 1, vocabulary: 32000 }
parallel: { tensor: 4 }
layers: 1
phase: decode
batch: { requests: ${tokens}, context: 1 }
`;
  return parseServing(text, 'duplex-experts').workload;
}

/** The least number of tokens from which on the array is not slower. */
function crossover(rows: readonly Row[], side: Side): number | null {
  const time = (of: Side, tokens: number) => rows.find((row) => row.side === of && row.tokens === tokens)?.seconds;
  const both = rows.filter((row) => row.side === 'array' && time(side, row.tokens) !== undefined);
  const last = both.findLastIndex(({ tokens, seconds }) => seconds > (time(side, tokens) ?? 0));
  return both[last + 1]?.tokens ?? null;
}

export default study({
  name: 'duplex-experts',
  about: 'An expert on the array, on logic dies and at the banks, by its tokens',
  parameters: {
    side: ['array', 'logic-pim', 'bank-pim'],
    tokens: [1, 2, 4, 8, 12, 16, 20, 24, 32, 40, 48, 64],
  },
  skip: ({ side, tokens }) => side === 'bank-pim' && tokens > 16,
  inputs: ({ side, tokens }): DeviceRun => {
    const [machine, mapping] = sides[side];
    return { arch: loadArch(machine), mapping: loadServingMapping(mapping).mapping, workload: workloadOf(tokens) };
  },
  run: ({ arch, mapping, workload }: DeviceRun): Result => simulateServing({ arch, ...placed({ mapping, workload }) }),
  metrics: ({ serving }: Result) => {
    const product = serving?.operators.find(({ name }) => name === 'expert-down');
    const seconds = product?.seconds ?? Number.NaN;
    return { seconds, flops_per_s: (product?.flops ?? Number.NaN) / seconds };
  },
  units: { seconds: 's', flops_per_s: 'op/s' },
  claims: [
    {
      text: 'Tokens of an expert from which on the array is as fast as the logic dies: 4 x bandwidth, 8 operations for each byte',
      source: 'peaks of caoslab-postech/LLMSimulator_HBF commit bbc4945, hardware_config.h',
      target: 32,
      measured: (rows: readonly Row[]) => crossover(rows, 'logic-pim'),
    },
    {
      text: 'Tokens of an expert from which on the array is as fast as units at the banks: 16 x bandwidth, 1 operation for each byte',
      source: 'peaks of caoslab-postech/LLMSimulator_HBF commit bbc4945, hardware_config.h',
      target: 16,
      measured: (rows: readonly Row[]) => crossover(rows, 'bank-pim'),
    },
  ],
  charts: [{ kind: 'curve', x: 'tokens', y: 'seconds', by: 'side', log: 'xy' }],
});
