import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../arch/language/library.ts';
import {
  type ArrayPart,
  bind,
  htmlReport,
  InputError,
  loadArch,
  loadMapping,
  loadWorkload,
  parseArch,
  parseWorkload,
  perfettoTrace,
  simulate,
  summary,
  toJson,
  version,
} from '../index.ts';

const file = (path: string): string => join(packageRoot, path);

const machine = `machine: chip
clocks: { core: 1 GHz }
parts:
  dram: { kind: memory, bandwidth: 64 GB/s, latency: 100 ns, capacity: 1 GiB }
  buffer: { kind: scratchpad, capacity: 1 MiB, banks: 8, width: 64 B }
  array: { kind: array, rows: 16, columns: 16, operations: { mac: 1 } }
links:
  - dram <-> buffer via dma
  - buffer <-> array
`;
const product = `workload: product
ranks: { M: 256, N: 256, K: 256 }
inputs: A[m,k]  B[k,n]
output: Z[m,n]
cascade: Z[m,n] = A[m,k] * B[k,n]
`;

describe('the library', () => {
  it('runs a workload on a machine and reports, in a few lines', () => {
    const arch = parseArch(machine, 'chip.yaml');
    const workload = parseWorkload(product, 'product.yaml', { shape: ['M=64'] });
    const result = simulate({ arch, workload, values: true });
    expect(result.seconds).toBeCloseTo(result.cycles / 1e9, 12);
    expect(result.values!.outputs[0]!.maxAbsError).toBe(0);
    expect(summary(result)).toContain('product on chip');
    expect(htmlReport(result)).toContain('<html');
    expect(JSON.parse(perfettoTrace(result))).toHaveProperty('traceEvents');
    expect(JSON.parse(toJson(result))).toEqual(result);
    expect(result.version).toBe(version);
  });

  it('derives machines from one another: more rows, more peak, no more cycles', () => {
    const arch = loadArch(file('arch/fusemax.yaml'));
    const workload = loadWorkload(file('workloads/gemm.yaml'));
    const runs = [64, 128, 256].map((rows) => {
      const variant = arch.setIn(['parts', 'array', 'rows'], rows);
      expect((variant.getIn(['parts', 'array']) as ArrayPart).rows).toBe(rows);
      const { cycles, engines } = simulate({ arch: variant, workload });
      expect(engines.find(({ name }) => name === 'array')!.peakOps).toBe(rows * 256 * 940e6);
      return cycles;
    });
    expect(runs).toEqual([...runs].sort((a, b) => b - a));
    expect(runs[0]).toBeGreaterThan(runs[2]!);
    expect((arch.getIn(['parts', 'array']) as ArrayPart).rows).toBe(256);
  });

  it('gives equal values for equal files, and programs that can be compared', () => {
    const [a, b] = [parseArch(machine, 'a.yaml'), parseArch(machine.replace('1 GHz', '1000 MHz'), 'b.yaml')];
    const workload = parseWorkload(product, 'product.yaml');
    expect(a.equals(b)).toBe(true);
    expect(bind(a, workload).equals(bind(b, workload))).toBe(true);
    expect(bind(a, workload).equals(bind(a.setIn(['parts', 'buffer', 'capacity'], 2 ** 15), workload))).toBe(false);
  });

  it('gives the same result for the same input, bit for bit', () => {
    const run = () =>
      simulate({ arch: parseArch(machine, 'chip.yaml'), workload: parseWorkload(product, 'product.yaml') });
    expect(toJson(run())).toBe(toJson(run()));
  });

  it('notes a mapping that was written for something else', () => {
    const folder = mkdtempSync(join(tmpdir(), 'clockwright-'));
    try {
      writeFileSync(join(folder, 'm.yaml'), 'mapping: mine\nmachine: other\ninterleave: 1\n');
      const mapping = loadMapping(join(folder, 'm.yaml'));
      const { notes } = simulate({
        arch: parseArch(machine, 'chip.yaml'),
        workload: parseWorkload(product, 'p.yaml'),
        mapping,
      });
      expect(notes).toContain('mapping mine was written for the machine other, not chip');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('throws all mistakes of a file as values', () => {
    const text = machine.replace('1 MiB', '1').replace('via dma', 'via dam');
    try {
      parseArch(text, 'chip.yaml');
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(InputError);
      const { diagnostics } = error as InputError;
      expect(diagnostics.map(({ place }) => [place?.line, place?.column])).toEqual([
        [5, 41],
        [8, 25],
      ]);
    }
  });
});

describe('what bounds a run that moves data', () => {
  const bound = (set: string[], shape: string[]) =>
    simulate({
      arch: loadArch(join(packageRoot, 'arch/gemmini.yaml'), { set }),
      workload: loadWorkload(join(packageRoot, 'workloads/gemm.yaml'), { shape }),
    }).bottleneck;

  it('is the dma when it is slower than the memory behind it', () => {
    const found = bound(['dma.bandwidth=1 B/cycle'], ['M=64', 'N=64', 'K=64']);
    expect(found).toMatchObject({ part: 'dma', kind: 'memory' });
    expect(found.shares.map(({ name }) => name).sort()).toEqual(['A', 'B', 'Z']);
    expect(found.shares.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(found.utilization, 12);
  });
});
