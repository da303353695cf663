/** Einsums in memories that compute: the cycles of their commands, ordinary accesses beside, values, and where all goes. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Arch } from '../../arch/language/arch.ts';
import { banksOf } from '../../arch/language/dram/device.ts';
import { bind } from '../../models/binding/bind.ts';
import { Machine } from '../../models/machine.ts';
import { PimChannel } from '../../models/memory/pim/channel.ts';
import type { Result } from '../../models/result.ts';
import { simulate } from '../../models/simulate.ts';
import { waterfallOf } from '../../models/waterfall.ts';
import { parseWorkload } from '../../workloads/language/load.ts';
import { loadMapping } from '../../workloads/language/mapping.ts';
import type { PimProgram } from '../../workloads/language/pim-program.ts';
import type { LoadedWorkload } from '../../workloads/language/workload.ts';
import { attentionJobs } from '../../workloads/pim/attention.ts';
import { gemv } from '../../workloads/pim/gemv.ts';
import { expectToAddUp } from './accounting.ts';
import { aMachine, aMapping, plainLinks, shipped, shippedMachine } from './machines.ts';
import { dialect } from './memory/pim/runs.ts';

const seed = Number(process.env.SEED ?? 20261122);

/** Channels of a dialect beside a buffer that is wide enough to take no time but a cycle. */
const withDialect = (name: string, channels = 1, keys = ''): Arch =>
  aMachine({
    dram: `use: dram/${name}, channels: ${channels}, pim: concurrent${keys}`,
    buffer: 'capacity: 16 MiB, width: 64 KiB, latency: 0 cycles',
    links: plainLinks,
  });

const cascade = (ranks: string, inputs: string, output: string, ...einsums: string[]): LoadedWorkload =>
  parseWorkload(
    [
      'workload: test',
      'dtype: fp16',
      `ranks: { ${ranks} }`,
      `inputs: ${inputs}`,
      `output: ${output}`,
      'cascade: |',
      ...einsums.map((einsum) => `  ${einsum}`),
    ].join('\n'),
    'test.yaml',
  );

const aGemv = (M: number, K: number): LoadedWorkload =>
  cascade(`M: ${M}, K: ${K}`, 'W[m,k]  X[k]', 'Y[m]', 'Y[m] = W[m,k] * X[k]');

const inMemory = aMapping('place: { hbm: { einsums: [Y] } }', 'loops: []');

const engine = (result: Result, name: string) => result.engines.find((one) => one.name === name)!;

/** Work of a channel: columns of a vector that is written to a row of its own before, and commands. */
interface Work {
  readonly vector: number | null;
  readonly program: PimProgram;
}

/** The cycle in which a channel has done work that it gets after cycle `begin`; columns are read from cycle 0 on. */
const channelCycles = (name: string, read: number, begin: number, work: readonly Work[]): number => {
  const device = dialect(name);
  const written = new Map<number, number>();
  let end = 0;
  const channel = new PimChannel(device, {
    job: (_, cycle) => {
      end = Math.max(end, cycle);
    },
    access: (tag, cycle) => written.set(tag, cycle),
  });
  const reach = (cycle: number) => {
    while (channel.now < cycle) channel.advance(cycle);
  };
  reach(0);
  channel.pushAccess(false, 0, read, -1);
  reach(begin);
  work.forEach(({ vector, program }, tag) => {
    if (vector === null) channel.pushJob(program, tag);
    else channel.pushAccess(true, (device.rows - 1 - tag) * banksOf(device) * device.bursts, vector, tag);
  });
  work.forEach(({ vector, program }, tag) => {
    if (vector === null) return;
    while (!written.has(tag)) channel.advance(channel.now + 1);
    reach(written.get(tag)!);
    channel.pushJob(program, tag);
  });
  while (!channel.isIdle) channel.advance(channel.now + 1000);
  return end;
};

/** When, in cycles of the memory, the operation of an einsum begins and ends. */
const spanOf = (arch: Arch, loaded: LoadedWorkload, operation: string): [start: number, end: number] => {
  const program = bind(arch, loaded, inMemory);
  const spans: [number, number][] = [];
  new Machine(arch).run(program, {
    workload: loaded.workload,
    watch: (section) => (index) => (op, _, start, end) => {
      const { ops, kind } = section.engines.get(index)!;
      if (kind === 'pim' && ops.get(op)!.name === operation) spans.push([start, end]);
    },
  });
  expect(spans).toHaveLength(1);
  return spans[0]!;
};

describe('a product in a memory takes what its commands take', () => {
  // The buffer gives a vector, and takes a result, in less than a cycle, and an engine counts whole ones.
  const bringing = 1;

  it('where these bring the vector', () => {
    const device = dialect('logic-pim-hbm3');
    const [rows, columns] = [100, 128];
    const arch = withDialect('logic-pim-hbm3');
    const result = simulate({ arch, workload: aGemv(rows, columns), mapping: inMemory });
    const [start, end] = spanOf(arch, aGemv(rows, columns), 'Y');
    const lanes = device.units!.lanes ?? device.burstBytes / 2;
    const { program } = gemv(device, 'MACBU', { rows, columns, lanes, firstRow: 1 });
    const read = Math.ceil((2 * columns) / device.burstBytes);
    const done = channelCycles('logic-pim-hbm3', read, start, [{ vector: null, program }]);
    expect(done - start).toBeGreaterThan(200);
    expect(engine(result, 'hbm').busy).toBe(done - start - bringing);
    expect(end).toBe(done + 1);
  });

  it('where it is written to a row first, a part of it for each product', () => {
    const device = dialect('neupims-hbm2');
    const [rows, columns] = [100, 1300];
    const arch = withDialect('neupims-hbm2');
    const result = simulate({ arch, workload: aGemv(rows, columns), mapping: inMemory });
    const [start, end] = spanOf(arch, aGemv(rows, columns), 'Y.parts');
    const vectorRow = device.rows - 1;
    const shape = { heads: 1, headSize: rows, length: columns, keyRow: 1, valueRow: 1, vectorRow, vectorRows: 3 };
    const { context } = attentionJobs(device, shape);
    const bursts = (numbers: number) => Math.ceil((2 * numbers) / device.burstBytes);
    const work = context.map(({ program }, i) => ({ vector: bursts([512, 512, 276][i]!), program }));
    const done = channelCycles('neupims-hbm2', bursts(columns), start, work);
    expect(engine(result, 'hbm').busy).toBe(done - start - bringing);
    expect(end).toBe(done + 1);
  });
});

const machines: [machine: string, memory: string][] = [
  ['neupims', 'hbm'],
  ['duplex', 'hbm'],
  ['duplex-bank-pim', 'hbm'],
  ['attacc', 'attacc'],
  ['pim-gpt', 'gddr'],
];

/** With few channels, which is faster to set up. */
const small = (machine: string, memory: string) => shippedMachine(machine, [`parts.${memory}.channels=4`]);

describe('values', () => {
  const layouts = ['', 'm: [channel, bank], k: column', 'm: bank', 'k: column, m: channel'];
  const shape = fc.record({ M: fc.integer({ min: 1, max: 300 }), K: fc.integer({ min: 1, max: 1500 }) });

  it.each(machines)('of a product on %s are those of the evaluator, for any shape and layout', (machine, memory) => {
    fc.assert(
      fc.property(shape, fc.constantFrom(...layouts), fc.constantFrom(1, 3), ({ M, K }, layout, N) => {
        const workload = cascade(
          `M: ${M}, K: ${K}, N: ${N}`,
          'W[m,k]  X[n,k]',
          'Z[n,m]',
          'Y[n,m] = X[n,k] * W[m,k]',
          'Z[n,m] = max(Y[n,m], 0)',
        );
        const mapping = aMapping(`place: { ${memory}: { einsums: [Y], layout: { W: { ${layout} } } } }`);
        const result = simulate({ arch: small(machine, memory), workload, mapping, values: true });
        expect(result.values!.outputs[0]!.maxAbsError).toBeLessThanOrEqual(1e-9);
        for (const { busy, waitInput, waitOutput, waitMemory, idle, cycles } of result.engines) {
          expect(busy + waitInput + waitOutput + waitMemory + idle).toBe(cycles);
        }
      }),
      { numRuns: 3, seed },
    );
  });
});

describe('attention of a token', () => {
  const shape = { B: 3, H: 4, E: 48, F: 40, M: 130 };

  it.each(machines)('on %s adds up, with the values of the evaluator', (machine, memory) => {
    const workload = shipped('attention-decode', shape);
    const mapping = aMapping(`place: { ${memory}: { einsums: [QK, AV] } }`);
    const result = simulate({ arch: small(machine, memory), workload, mapping, values: true });
    expect(result.values!.outputs[0]!.maxAbsError).toBeLessThanOrEqual(1e-9);
    expectToAddUp(result, workload.workload);
  });

  it('goes on with other heads while the vector unit softens, by the mapping that comes with it', () => {
    const workload = shipped('attention-decode', { B: 32, M: 256 });
    const fused = simulate({
      arch: shippedMachine('neupims'),
      workload,
      mapping: loadMapping('attention-decode-in-memory'),
      values: true,
    });
    expectToAddUp(fused, workload.workload);
    const ends = (name: string) => fused.einsums.find((einsum) => einsum.name === name)!;
    expect(ends('AV').start).toBeLessThan(ends('QK').end);
    const [memory] = fused.memories;
    // Requests have a channel each, of which a row holds the keys of four heads: 8 rows of 32 tokens, twice; a value's 256 tokens
    // take half a row, for 4 rows of 32 dimensions for each of 8 heads.
    expect(memory!.commands.P_HEADER).toBe(32 * (2 * 8 + 8 * 4));
    expect(memory!.commands.COMPS_READRES).toBe(32 * (2 * 8 * 4 + 8 * 4));
    expect(memory!.commands.GWRITE).toBe(32 * (2 + 8));
    expect(memory!.tensors.K).toBeUndefined();
    expect(fused.energy.by.hbm!.COMPS_READRES).toBeGreaterThan(0);
  });
});

describe('a waterfall', () => {
  it('shows what a memory does, in cycles of its own', () => {
    const { workload, places } = shipped('attention-decode', { B: 4, M: 64 });
    const arch = small('neupims', 'hbm');
    const program = bind(arch, { workload, places }, loadMapping('attention-decode-in-memory'));
    const { clock, lanes } = waterfallOf(arch, workload, program.phases.first()!.sections.first()!);
    expect(clock).toBe('hbm');
    expect(lanes.filter(({ kind }) => kind === 'pim').map(({ name, spans }) => [name, spans.length])).toEqual([
      ['QK', 2],
      ['AV', 2],
    ]);
  });
});

describe('ordinary accesses beside a product', () => {
  it('go between its commands, or wait for them in blocked mode', () => {
    const workload = cascade(
      'M: 512, K: 512, N: 20000',
      'W[m,k]  X[k]  P[n]',
      'Z[n]',
      'Y[m] = W[m,k] * X[k]',
      'S    = max(m) Y[m]',
      'Z[n] = P[n] + S',
    );
    const run = (mode: string) => {
      const arch = shippedMachine('duplex', [`parts.hbm.pim=${mode}`, 'parts.hbm.channels=1']);
      return simulate({ arch, workload, mapping: aMapping('place: { hbm: { einsums: [Y] } }') });
    };
    const [concurrent, blocked] = [run('concurrent'), run('blocked')];
    expect(concurrent.memories[0]!.commands).toMatchObject({ MACBU: blocked.memories[0]!.commands.MACBU });
    expect(concurrent.memories[0]!.bytesRead).toBe(blocked.memories[0]!.bytesRead);
    expect(concurrent.seconds).toBeLessThanOrEqual(blocked.seconds);
  });
});

describe('a layout', () => {
  const notes = (M: number, layout: string) => {
    const mapping = aMapping(`place: { hbm: { einsums: [Y], layout: { W: { ${layout} } } } }`);
    const arch = withDialect('logic-pim-hbm3', 4);
    return simulate({ arch, workload: aGemv(M, 64), mapping }).notes.filter((note) => note.startsWith('W in hbm'));
  };

  it('that leaves channels or units without work tells what is lost', () => {
    const units = 4 * 32;
    expect(notes(4 * units, 'm: [channel, bank]')).toEqual([]);
    expect(notes(units, 'm: bank')).toEqual([
      'W in hbm: its 4 channels have unequal work, 3 have none; 75 % of their time is lost',
    ]);
    expect(notes(10, 'm: [channel, bank]').join()).toMatch(/17 % of their time is lost.*no multiple of the \d+ that/);
  });
});
