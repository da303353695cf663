import { readdirSync, readFileSync } from 'node:fs';
import { is, List } from 'immutable';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { describeWorkload, einsumText } from '../../workloads/language/describe.ts';
import { evaluate, randomInputs } from '../../workloads/language/evaluate.ts';
import { workloadJsonSchema } from '../../workloads/language/json-schema.ts';
import { loadWorkload, parseWorkload } from '../../workloads/language/load.ts';
import { passes } from '../../workloads/language/passes.ts';
import { accessText } from '../../workloads/language/syntax.ts';
import { accessesOf, einsumsOf, type Tensor, type Workload } from '../../workloads/language/workload.ts';

const names = readdirSync('workloads')
  .flatMap((file) => /^(.*)\.yaml$/.exec(file)?.[1] ?? [])
  // Serving workloads, compositions of experts and streaming workloads have tests of their own.
  .filter((name) => !/^(model|experts|steps):/m.test(readFileSync(`workloads/${name}.yaml`, 'utf8')));

/** Extents that others of the file divide. */
const whole: { readonly [name: string]: { readonly [rank: string]: number } } = { 'resnet-50': { H: 32 } };

/** The workload with every extent that its file gives as a number above 4 cut down to 4, and tiles of 2. */
function small(name: string): Workload {
  const file = `workloads/${name}.yaml`;
  const { ranks, split } = parse(readFileSync(file, 'utf8')) as { ranks: { [rank: string]: unknown }; split?: object };
  const large = Object.entries(ranks).filter(([, extent]) => typeof extent === 'number' && extent > 4);
  // Heads divide the width of a layer.
  const shape = large.map(([rank]) => `${rank}=${whole[name]?.[rank] ?? (rank === 'H' ? 2 : 4)}`);
  return loadWorkload(file, { shape: split ? [...shape, 'M0=2'] : shape }).workload;
}

/** The value of a tensor at a position. */
function at(values: Map<string, Float64Array>, workload: Workload, tensor: string): (...position: number[]) => number {
  const shape = workload.tensors.get(tensor)!.shape.toArray();
  return (...position) => values.get(tensor)![position.reduce((offset, i, d) => offset * shape[d]! + i, 0)]!;
}

/** The text of one cascade with everything spelt out, used workloads included. */
function printed(workload: Workload): string {
  const einsums = einsumsOf(workload);
  const accesses = einsums.flatMap((einsum) => [einsum.output, ...accessesOf(einsum.expression)]);
  const tensors = workload.tensors.valueSeq().toArray();
  const ranks = [...workload.ranks].map(([rank, extent]) => `${rank}: ${extent}`);
  const declaration = ({ name, role, padded, shape }: Tensor): string => {
    if (role !== 'input' || !padded) return accessText(accesses.find(({ tensor }) => tensor === name)!);
    // It is read beyond its edges, so that it needs ranks of its own extents.
    const own = shape.toArray().map((extent) => ranks.push(`EDGE${ranks.length}: ${extent}`) - 1);
    return `${name}[${own.map((rank) => `edge${rank}`).join(',')}]`;
  };
  const declared = (role: Tensor['role']): string =>
    tensors
      .filter((tensor) => tensor.role === role)
      .map(declaration)
      .join('  ');
  const [inputs, output] = [declared('input'), declared('output')];
  const padded = tensors.filter((tensor) => tensor.padded).map(({ name }) => name);
  return [
    'workload: printed',
    `ranks: { ${ranks.join(', ')} }`,
    `inputs: ${inputs}`,
    `output: ${output}`,
    `padded: ${padded.join(' ') || '""'}`,
    'cascade: |',
    ...einsums.map((einsum) => `  ${einsumText(einsum)}`),
  ].join('\n');
}

describe.each(names)('%s', (name) => {
  const { workload, places } = loadWorkload(`workloads/${name}.yaml`);

  it('says what it is and where it comes from', () => {
    expect(workload.name).toBe(name);
    expect(workload.about).not.toBe('');
    expect(workload.source).not.toBe('');
    expect([...places.keys()]).toEqual(einsumsOf(workload).map((einsum) => einsum.name));
  });

  it('computes finite numbers', () => {
    const scaled = small(name);
    const values = evaluate(scaled, randomInputs(scaled, 1));
    const outputs = scaled.tensors.valueSeq().filter(({ role }) => role === 'output');
    expect(outputs.count()).toBeGreaterThan(0);
    for (const output of outputs) expect(values.get(output.name)!.every(Number.isFinite)).toBe(true);
  });

  it('prints as a cascade that computes the same', () => {
    const scaled = small(name);
    const again = parseWorkload(printed(scaled), 'printed.yaml').workload;
    expect(is(List(einsumsOf(again)), List(einsumsOf(scaled)))).toBe(true);
    const inputs = randomInputs(scaled, 2);
    expect(evaluate(again, inputs)).toEqual(evaluate(scaled, inputs));
  });

  it('can be described', () => {
    const text = describeWorkload(loadWorkload(`workloads/${name}.yaml`));
    for (const einsum of einsumsOf(workload)) expect(text).toContain(`\n  ${einsum.name} `);
    expect(text).not.toMatch(/NaN|undefined/);
  });
});

describe('shipped workloads', () => {
  it('normalise exponentials to probabilities', () => {
    const workload = small('softmax');
    const inputs = randomInputs(workload, 1);
    const y = at(evaluate(workload, inputs), workload, 'Y');
    const x = at(inputs, workload, 'X');
    expect([0, 1, 2, 3].reduce((sum, m) => sum + y(2, m), 0)).toBeCloseTo(1, 12);
    expect(Math.log(y(2, 1) / y(2, 3))).toBeCloseTo(x(2, 1) - x(2, 3), 12);
  });

  it('normalise layers to mean 0 and variance 1 before they scale them', () => {
    const { workload } = loadWorkload('workloads/layer-norm.yaml', { shape: ['P=2', 'D=16'] });
    const n = at(evaluate(workload, randomInputs(workload, 1)), workload, 'XN');
    const row = Array.from({ length: 16 }, (_, d) => n(0, 1, d));
    expect(row.reduce((a, b) => a + b, 0)).toBeCloseTo(0, 12);
    expect(row.reduce((a, b) => a + b * b, 0) / 16).toBeCloseTo(1, 3);
  });

  it('apply gelu between the layers of a perceptron', () => {
    const { workload } = loadWorkload('workloads/mlp.yaml', { shape: ['N=1', 'D=2', 'F=2'] });
    const values = evaluate(workload, randomInputs(workload, 1));
    const [u, g] = [at(values, workload, 'U'), at(values, workload, 'G')];
    // gelu(x) - gelu(-x) = x, and gelu(1) = 0.841344746...
    const gelu = (x: number): number => x / (1 + Math.exp(-1.702 * x));
    for (const f of [0, 1]) expect(Math.abs(g(0, f) - gelu(u(0, f)))).toBeLessThan(0.021);
  });

  it('give a layer of a transformer the attention of its own tokens', () => {
    const workload = small('transformer-encoder-layer');
    const values = evaluate(workload, randomInputs(workload, 1));
    const [q, k, v, av] = ['Q', 'K', 'V', 'AV'].map((name) => at(values, workload, name));
    const [e, m] = [workload.ranks.get('E')!, workload.ranks.get('M')!];
    const weights = Array.from({ length: m }, (_, j) => {
      let score = 0;
      for (let i = 0; i < e; i++) score += q!(0, 1, i, 3) * k!(0, 1, i, j >> 1, j & 1);
      return Math.exp(score);
    });
    const total = weights.reduce((a, b) => a + b, 0);
    const expected = weights.reduce((sum, weight, j) => sum + (weight / total) * v!(0, 1, 0, j >> 1, j & 1), 0);
    expect(av!(0, 1, 0, 3)).toBeCloseTo(expected, 12);
  });

  it('keep one pass over M in a transformer layer', () => {
    const { workload } = loadWorkload('workloads/transformer-encoder-layer.yaml');
    expect(passes(workload, 'M').count).toBe(1);
    expect(workload.steps.map((step) => step.name).toArray()).toEqual([
      'project',
      'attention',
      'merge',
      'norm1',
      'feed',
      'norm2',
    ]);
    expect(einsumsOf(workload).map((einsum) => einsum.name)).toContain('attention.QK');
  });

  it('are described as tables of operations, intensity and passes', () => {
    const text = describeWorkload(loadWorkload('workloads/attention-2-pass.yaml', { shape: ['B=1', 'H=1'] }));
    expect(text).toContain('B 1   H 1   E 64   F 64   P 1,024   M 1,024 = M1 4 x M0 256');
    expect(text).toContain('K    input         1 x 1 x 64 x 4 x 256    bf16  128 KiB');
    // 64 Mi operations on 128 KiB, 128 KiB and 2 MiB.
    expect(text).toMatch(/QK +67,108,864 {2}mac 67,108,864 +28\.4 ops\/B {2}from Q, K/);
    expect(text).toContain('1 over B, H, E, F, P\n  2 over M\n    SN opens pass 2 over M');
    expect(text).toContain('512 KiB of inputs and outputs: 268 operations per byte at best');
  });

  it('have a JSON schema with every key of the file', () => {
    const schema = workloadJsonSchema() as { properties: object; required: string[]; additionalProperties: boolean };
    expect(Object.keys(schema.properties)).toEqual([
      'workload',
      'about',
      'source',
      'dtype',
      'parameters',
      'ranks',
      'split',
      'inputs',
      'weights',
      'output',
      'padded',
      'sparse',
      'cascade',
      'graph',
    ]);
    expect(schema.required).toEqual(['workload', 'ranks', 'inputs', 'output']);
    expect(schema.additionalProperties).toBe(false);
  });
});
