/** The search for a mapping against brute force, the shipped mapping, the default binding and itself. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../../arch/language/library.ts';
import { searchMapping } from '../../models/mapper/mapper.ts';
import { simulate } from '../../models/simulate.ts';
import { loadMapping, parseMapping } from '../../workloads/language/mapping.ts';
import { shipped, shippedMachine } from './machines.ts';

const binding = join(packageRoot, 'workloads/mappings/fusemax-binding.yaml');

/** Cycles of the best of all plain nests of a GEMM whose ranks are whole or halved. */
function bestByForce(machine: string, workload: ReturnType<typeof shipped>): number {
  const arch = shippedMachine(machine);
  const ranks = ['M', 'N', 'K'];
  const orders = ranks.flatMap((a) => ranks.flatMap((b) => ranks.map((c) => [a, b, c])));
  let best = Number.POSITIVE_INFINITY;
  for (const order of orders.filter((names) => new Set(names).size === 3)) {
    for (let halves = 1; halves < 8; halves++) {
      const cut = order.filter((_, i) => halves & (1 << i));
      const partition = cut.map((rank) => `${rank}: [${rank}1, ${rank}0 ${workload.workload.ranks.get(rank)! / 2}]`);
      for (const hold of ['', 'hold: [A]', 'hold: [B]', 'hold: [A, B]']) {
        const loops = cut.map((rank) => `${rank.toLowerCase()}1`).join(', ');
        const text = `mapping: m\npartition: { ${partition.join(', ')} }\nloops: [${loops}]\n${hold}\n`;
        best = Math.min(best, simulate({ arch, workload, mapping: parseMapping(text, 'm.yaml') }).cycles);
      }
    }
  }
  return best;
}

describe('searchMapping', () => {
  it('finds what brute force finds, or better, and stays above its bound', () => {
    const workload = shipped('gemm', { M: 512, N: 512, K: 512 });
    const { result, bound } = searchMapping({ arch: shippedMachine('fusemax'), workload, candidates: 400 });
    expect(result.cycles).toBeLessThanOrEqual(bestByForce('fusemax', workload));
    expect(result.cycles).toBeGreaterThanOrEqual(bound.cycles);
  });

  it('reaches the shipped mapping of attention on FuseMax', () => {
    const arch = shippedMachine('fusemax');
    const workload = shipped('attention-1-pass', { B: 1, H: 12 });
    const byHand = simulate({ arch, workload, mapping: loadMapping(binding) });
    const { result, bound } = searchMapping({ arch, workload, candidates: 1500 });
    expect(result.cycles).toBeLessThanOrEqual(byHand.cycles);
    expect(result.cycles).toBeGreaterThanOrEqual(bound.cycles);
  }, 60_000);

  it('gives the same bytes for the same seed, and a file that runs in the cycles that it says', () => {
    const arch = shippedMachine('fusemax');
    const workload = shipped('softmax', { N: 256, M: 256 });
    const search = () => searchMapping({ arch, workload, seed: 3, candidates: 150 });
    const [first, second] = [search(), search()];
    expect(second.text).toBe(first.text);
    const again = simulate({ arch, workload, mapping: parseMapping(first.text, 'found.yaml'), values: true });
    expect(again.cycles).toBe(first.result.cycles);
    expect(again.energy.total).toBe(first.result.energy.total);
    for (const { maxRelError } of again.values!.outputs) expect(maxRelError).toBeLessThanOrEqual(1e-9);
  });

  it.each([
    ['gemmini', 'gemm', { M: 64, N: 64, K: 64 }],
    ['tpu-v4', 'mlp', { N: 64, D: 128 }],
    ['systolic', 'conv2d', { C: 8, K: 8, P: 14, Q: 14 }],
    ['multi-core', 'gemm', { M: 256, N: 256, K: 256 }],
    ['flat', 'attention-3-pass', { B: 1, H: 1, P: 256, M: 256 }],
  ] as const)(
    'is never worse than the default binding: %s %s',
    (machine, name, shape) => {
      const arch = shippedMachine(machine);
      const workload = shipped(name, shape);
      for (const objective of ['latency', 'energy', 'edp'] as const) {
        const { byDefault, result, bound, mapping } = searchMapping({ arch, workload, objective, candidates: 60 });
        const figure = (of: { cycles: number; joules: number }): number =>
          ({ latency: of.cycles, energy: of.joules, edp: of.cycles * of.joules })[objective];
        const found = { cycles: result.cycles, joules: result.energy.total };
        expect(figure(found)).toBeLessThanOrEqual(figure(byDefault));
        expect(found.cycles).toBeGreaterThanOrEqual(bound.cycles);
        expect(found.joules).toBeGreaterThanOrEqual(bound.joules * (1 - 1e-9));
        const again = simulate({ arch, workload, mapping });
        expect(again.cycles).toBe(result.cycles);
      }
    },
    60_000,
  );

  it('tells how far it is, and stops when its time is over', () => {
    const arch = shippedMachine('fusemax');
    const workload = shipped('gemm', { M: 256, N: 256, K: 256 });
    const told: number[] = [];
    const { evaluated, outOfTime } = searchMapping({
      arch,
      workload,
      seconds: 1e-9,
      onProgress: (progress) => told.push(progress.evaluated),
    });
    expect(outOfTime).toBe(true);
    expect(told.at(-1)).toBe(evaluated);
    expect(evaluated).toBeLessThan(10);
  });
});
