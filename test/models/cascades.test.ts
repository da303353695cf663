/** Cascades of many kinds, fused and einsum by einsum, on every machine: the same values, and less traffic when fused. */
import { describe, expect, it } from 'vitest';
import { bind } from '../../models/binding/bind.ts';
import { simulate } from '../../models/simulate.ts';
import { loadMapping } from '../../workloads/language/mapping.ts';
import { expectToAddUp } from './accounting.ts';
import {
  compulsory,
  compulsoryUnfused,
  expectValues,
  fusedCascades,
  inOneSection,
  trafficOf,
  unfused,
} from './fused-cascades.ts';
import { aMapping, shipped, shippedMachine, shippedMachines, smallShapes } from './machines.ts';

describe.each(shippedMachines)('on %s', (machine) => {
  it.each(fusedCascades)('%s runs in one section and einsum by einsum', (name) => {
    const arch = shippedMachine(machine);
    const workload = shipped(name, smallShapes[name]);
    const whole = simulate({ arch, workload, mapping: inOneSection(name), values: true });
    const apart = simulate({ arch, workload, mapping: unfused, values: true });
    for (const result of [whole, apart]) {
      expectValues(result);
      expectToAddUp(result, workload.workload);
    }
    expect(whole.mapping.sections).toHaveLength(1);
    expect(trafficOf(whole)).toBeGreaterThanOrEqual(compulsory(workload));
    expect(trafficOf(apart)).toBeGreaterThanOrEqual(compulsoryUnfused(workload));
    expect(trafficOf(whole)).toBeLessThan(trafficOf(apart));
  });
});

describe('einsum by einsum', () => {
  it('a softmax reads and writes every tensor of every line', () => {
    const workload = shipped('softmax', { N: 19, M: 37 });
    const result = simulate({ arch: shippedMachine('flat'), workload, mapping: unfused });
    const [matrix, vector] = [2 * 19 * 37, 2 * 19];
    // GM = max X; SN = X, GM; SD = sum SN; Y = SN, SD.
    expect(trafficOf(result)).toBe(matrix + vector + 2 * matrix + vector + matrix + vector + 2 * matrix + vector);
    expect(result.mapping.sections.map((section) => section.einsums)).toEqual([['GM'], ['SN'], ['SD'], ['Y']]);
  });

  it('what a recurrence holds together stays together', () => {
    const workload = shipped('attention-1-pass', smallShapes['attention-1-pass']);
    const { phases } = bind(shippedMachine('fusemax'), workload, unfused);
    const sections = phases.toArray().flatMap((phase) => phase.sections.toArray().map(({ name }) => name));
    expect(sections).toEqual(['QK', 'LM', 'RM', 'SLN', 'SLD', 'SLNV', 'PRM', 'SPD RD', 'SPNV RNV', 'AV']);
  });
});

describe('fused', () => {
  it('a softmax moves its input and its output, and nothing else', () => {
    const workload = shipped('softmax', smallShapes.softmax);
    for (const machine of shippedMachines) {
      const result = simulate({ arch: shippedMachine(machine), workload, mapping: inOneSection('softmax') });
      expect(trafficOf(result)).toBe(compulsory(workload));
    }
  });

  it('heads of a group share keys and values', () => {
    const arch = shippedMachine('fusemax');
    const bytesOfKeys = (R: number) => {
      const workload = shipped('attention-gqa', { ...smallShapes['attention-gqa'], R });
      const { memories } = simulate({ arch, workload, mapping: inOneSection('attention-gqa') });
      return memories.find(({ name }) => name === 'hbm')!.tensors.K!.read;
    };
    expect(bytesOfKeys(6)).toBe(bytesOfKeys(1));
  });

  it('windows of neighbouring blocks of queries fetch what they share twice', () => {
    const [tile, P, W, E, H] = [8, 21, 7, 5, 2];
    const workload = shipped('attention-sliding-window', { H, E, F: 6, P, W });
    const mapping = inOneSection('attention-sliding-window', tile);
    const { memories } = simulate({ arch: shippedMachine('fusemax'), workload, mapping });
    const keys = [8, 8, 5].reduce((sum, queries) => sum + queries + W - 1, 0);
    expect(memories.find(({ name }) => name === 'hbm')!.tensors.K!.read).toBe(2 * H * E * keys);
  });

  it('bands of convolutions fetch and compute their halo twice, and the weights once', () => {
    const shape = { C: 3, K: 5, L: 6, P1: 3, P0: 4, Q: 7 };
    const workload = shipped('conv-chain', shape);
    const result = simulate({ arch: shippedMachine('tpu-v4'), workload, mapping: inOneSection('conv-chain') });
    const { tensors } = result.memories.find(({ name }) => name === 'hbm')!;
    expect(tensors.W1!.read).toBe(2 * 5 * 3 * 9);
    expect(tensors.I!.read).toBe(2 * 3 * (3 * (4 + 4)) * (7 + 4));
    const first = result.einsums.find(({ name }) => name === 'C1')!;
    expect(first.operations).toBe(5 * 3 * (4 + 2) * (7 + 2) * 3 * 9);
  });

  it('the state of a scan never goes to memory', () => {
    const workload = shipped('mamba-scan', smallShapes['mamba-scan']);
    const result = simulate({ arch: shippedMachine('tpu-v4'), workload, mapping: inOneSection('mamba-scan') });
    const { tensors } = result.memories.find(({ name }) => name === 'hbm')!;
    expect(Object.keys(tensors).sort()).toEqual(['ALOG', 'BT', 'CT', 'RAW', 'SKIP', 'X', 'Y']);
  });

  it('sums that leave the array come back to it where nobody else needs them', () => {
    const workload = shipped('mlp', smallShapes.mlp);
    const lines = ['partition: { N: [N1, N0 8], F: [F1, F0 16] }', 'loops: [n1, f1]'];
    const { memories } = simulate({ arch: shippedMachine('tpu-v4'), workload, mapping: aMapping(...lines) });
    const { tensors } = memories.find(({ name }) => name === 'vmem')!;
    // 18 x 20 sums for each of three tiles of F; the first tile has none to add to.
    expect(tensors.GW).toEqual({ read: 2 * 2 * 18 * 20, written: 3 * 2 * 18 * 20 });
  });
});

describe('mappings that come with cascades', () => {
  it.each([
    ['attention-gqa', 'fusemax', { G: 2, R: 2, E: 4, F: 3, P: 700, M: 24, M0: 8 }],
    ['attention-sliding-window', 'fusemax', { H: 1, E: 4, F: 3, P: 300, W: 9 }],
    ['conv-chain', 'tpu-v4', smallShapes['conv-chain']!],
    ['mamba-scan', 'tpu-v4', { B: 2, T: 7, D: 700, N: 3 }],
    ['mlp-gated', 'tpu-v4', { N: 300, D: 12, F: 300 }],
  ])('%s-fused on %s', (name, machine, shape) => {
    const mapping = loadMapping(`workloads/mappings/${name}-fused.yaml`);
    const full = shipped(name);
    const arch = shippedMachine(machine);
    expect(bind(arch, full, mapping).phases.first()!.sections.size).toBe(1);
    const workload = shipped(name, shape);
    const [whole, apart] = [mapping, unfused].map((way) => simulate({ arch, workload, mapping: way, values: true }));
    expectValues(whole!);
    expect(whole!.notes.filter((note) => note.startsWith('mapping'))).toEqual([]);
    expect(trafficOf(whole!)).toBeLessThan(trafficOf(apart!));
  });
});
