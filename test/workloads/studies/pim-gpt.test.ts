import { List } from 'immutable';
import { describe, expect, it } from 'vitest';
import type { Arch } from '../../../arch/language/arch.ts';
import { loadArch } from '../../../arch/language/load.ts';
import { Device } from '../../../models/serving/device.ts';
import { measureServing } from '../../../models/serving/measure.ts';
import { PimWork } from '../../../models/serving/pim-work.ts';
import { serve } from '../../../models/serving/serve.ts';
import { describeServingMapping } from '../../../workloads/language/describe-serving-mapping.ts';
import { checkServing } from '../../../workloads/language/serving-check.ts';
import { loadServingMapping, parseServingMapping } from '../../../workloads/language/serving-mapping.ts';
import { loadServing } from '../../../workloads/llm/load.ts';
import { LlmModel } from '../../../workloads/llm/model.ts';
import { PlannedRequest, type ServingWorkload } from '../../../workloads/llm/workload.ts';
import { frameworkSeconds } from '../../../workloads/studies/pim-gpt/baselines.ts';
import study from '../../../workloads/studies/pim-gpt.ts';
import { generated } from '../../../workloads/studies/serving/generation.ts';

const mappingOf = (name: string) => loadServingMapping(name).mapping;

/** One layer of GPT-2 small for one token that sees 512. */
const layer: ServingWorkload = loadServing('gpt2-small-generate').workload.merge({
  layers: 1,
  generate: 1,
  requests: List([new PlannedRequest({ request: 0, context: 512 })]),
});

function run(arch: Arch, workload: ServingWorkload, mapping: ReturnType<typeof mappingOf>) {
  return measureServing({ arch, workload, mapping, overrides: [] }, serve(arch, workload, mapping));
}

describe('activations in a scratchpad', () => {
  const machine = loadArch('t4');
  const inMemory = mappingOf('gpu-only');
  const onChip = inMemory.set('activations', 'scratchpad');

  it('leave weights, keys and values to be read, and new keys and values to be written', () => {
    const [memory] = run(machine, layer, onChip).memories;
    expect(memory?.bytesRead).toBe(2 * (12 * 768 ** 2 + 2 * 512 * 768));
    expect(memory?.bytesWritten).toBe(2 * 2 * 768);
  });

  it('save what operators read and write elsewise, and time', () => {
    const [kept, moved] = [run(machine, layer, onChip), run(machine, layer, inMemory)];
    expect(kept.memories[0]!.bytesRead).toBeLessThan(moved.memories[0]!.bytesRead);
    expect(kept.memories[0]!.bytesWritten).toBeLessThan(moved.memories[0]!.bytesWritten);
    expect(kept.seconds).toBeLessThan(moved.seconds);
  });

  it('leave the rows of the embedding in memory', () => {
    const model = layer.model.merge({ layers: 1, vocabulary: 1024 });
    const whole = run(machine, layer.set('model', model), onChip).memories[0]!;
    const rest = run(machine, layer, onChip).memories[0]!;
    expect(whole.bytesRead - rest.bytesRead).toBeGreaterThanOrEqual(2 * 768 * (1024 + 2));
    expect(whole.bytesWritten).toBe(rest.bytesWritten);
  });

  it('must fit it', () => {
    const small = loadArch('t4', { set: ['parts.l2.capacity=4 KiB'] });
    expect(() => run(small, layer, onChip)).toThrow(/activations of qkv need 6144 bytes, but the scratchpad has 4096/);
  });

  it('are told of', () => {
    expect(describeServingMapping(onChip, null)).toMatch(/^ *activations +stay in the scratchpad$/m);
    expect(describeServingMapping(inMemory, null)).not.toContain('scratchpad');
  });

  it('need one', () => {
    const text = 'mapping: m\nplace: [{ on: vector }]\nactivations: scratchpad\n';
    const none = machine.deleteIn(['parts', 'l2']) as Arch;
    expect(checkServing(parseServingMapping(text, 'm.yaml'), none)).toMatchObject([
      { message: 't4 has no scratchpad', place: { line: 3 } },
    ]);
  });
});

describe('PIM-GPT', () => {
  const arch = loadArch('pim-gpt');
  const mapping = mappingOf('pim-gpt');

  it('reads nothing, and writes a key as a few columns and a value as a column for each of its elements', () => {
    const [memory] = run(arch, layer, mapping).memories;
    // Of 12 heads of 64: 4 columns for a key, which all channels wait for, and 64 for a value, 8 in each channel.
    expect(memory?.bytesRead).toBe(0);
    expect(memory?.bytesWritten).toBe(12 * (4 + 64) * 32);
    expect(memory?.commands.WR).toBe(8 * 12 * (4 + 8));
  });

  it('multiplies all weights, keys and values once', () => {
    const { MAC16 = 0 } = run(arch, layer, mapping).memories[0]!.commands;
    const chunks = 768 / 16;
    // By round of 128 outputs, of 768 inputs; four rounds of keys, one of values that uses half of the units.
    const weights = (18 + 6 + 24) * chunks + 6 * 4 * chunks;
    const attention = 12 * (4 * 4 + 512 / 16);
    expect(MAC16).toBe(8 * (weights + attention));
  });

  it('adds up what the memory gives of outputs in parts', () => {
    const device = new Device(arch, true);
    const work = new PimWork(device.pim!.device, 8, mapping);
    const product = {
      kind: 'matmul',
      name: 'ffn-down',
      tokens: 1,
      outputs: 768,
      weights: 2,
      activations: 2,
      after: [],
    } as const;
    // The buffer holds 1,024 of the inputs.
    expect(work.product({ ...product, inputs: 1024 }, 0).additions).toBe(0);
    expect(work.product({ ...product, inputs: 3072 }, 0).additions).toBe(2 * 768);
    expect(device.add(2 * 768, 0)).toBe(6000);
  });

  it('is measured by a few tokens as by all', () => {
    const model = new LlmModel({
      name: 'tiny',
      layers: 2,
      hidden: 256,
      heads: 4,
      kvHeads: 4,
      headSize: 64,
      ffn: 1024,
      vocabulary: 512,
    });
    const workload = layer.merge({
      model,
      layers: 2,
      generate: 256,
      requests: List([new PlannedRequest({ context: 1 })]),
    });
    const all = run(arch, workload, mapping);
    const some = generated({ arch, workload, mapping }, 8);
    expect(some.tokens).toBe(256);
    expect(Math.abs(some.seconds / all.seconds - 1)).toBeLessThan(0.01);
    expect(Math.abs(some.joules / all.energy.total - 1)).toBeLessThan(0.01);
    expect(Math.abs(some.commands.MAC16! / all.memories[0]!.commands.MAC16! - 1)).toBeLessThan(0.01);
  });
});

describe('the study of PIM-GPT', () => {
  it('has the machine of the paper for all models, and others for one', () => {
    const points = study.points();
    expect(points).toHaveLength(18);
    expect(points.filter(({ channels, asic_mhz }) => channels === 8 && asic_mhz === 1000)).toHaveLength(8);
  });

  it('takes the least and the most of all models', () => {
    const rows = study.points().map(({ model, channels, asic_mhz }, i) => {
      const isOriginal = channels === 8 && asic_mhz === 1000;
      return {
        model,
        channels,
        asic_mhz,
        ms_per_token: channels === 8 ? (asic_mhz === 1000 ? 8 : 9.6) : 64 / Number(channels),
        gpu_speedup: isOriginal ? 100 + i : null,
      };
    });
    const measured = (text: string) =>
      study.claims.find((claim) => claim.text.startsWith(text))?.measured(rows as never);
    expect(measured('Least speed-up over the GPU')).toBe(100);
    expect(measured('Most speed-up over the GPU')).toBe(114);
    expect(measured('Models that are more than 20 %')).toBe(0);
    expect(measured('GPT3-XL with 16')).toBe(4);
    expect(
      study.claims.find(({ text }) => text.startsWith('Most speed-up over the GPU'))?.measured(rows.slice(1) as never),
    ).toBeNull();
  });

  it('adds a latency for every kernel', () => {
    expect(frameworkSeconds(24) - frameworkSeconds(12)).toBeCloseTo(12 * 27 * 27e-6, 12);
  });
});
