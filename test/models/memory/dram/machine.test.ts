import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Arch } from '../../../../arch/language/arch.ts';
import { packageRoot } from '../../../../arch/language/library.ts';
import { parseArch } from '../../../../arch/language/load.ts';
import { Machine } from '../../../../models/machine.ts';
import { measure } from '../../../../models/measure.ts';
import type { MemoryResult, Result } from '../../../../models/result.ts';
import { simulate } from '../../../../models/simulate.ts';
import type { LoadedWorkload } from '../../../../workloads/language/workload.ts';
import { expectToAddUp } from '../../accounting.ts';
import { ShuffledKernel } from '../../kernel/graph.ts';
import { aGemm, aMachine, aWorkload, shipped, smallShapes } from '../../machines.ts';
import { load, scenarios, tryBind } from '../../scenarios.ts';

/** The machine of a text with DRAM for its memory. */
function withDram(text: string, dram: string): Arch {
  const replaced = text.replace(/\{ kind: memory[^}]*\}/, `{ kind: memory, ${dram} }`);
  expect(replaced).not.toBe(text);
  return parseArch(replaced, join(packageRoot, 'arch', 'changed.yaml'));
}

const shippedWithDram = (machine: string, dram: string): Arch =>
  withDram(readFileSync(join(packageRoot, `arch/${machine}.yaml`), 'utf8'), dram);

const memoryOf = (result: Result): MemoryResult & Required<Pick<MemoryResult, 'dram'>> => {
  const memory = result.memories.find(({ kind }) => kind === 'memory');
  if (!memory?.dram) throw new Error('no memory of DRAM');
  return { ...memory, dram: memory.dram };
};

const total = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);

/** What a memory of DRAM says of itself agrees. */
function expectDramToAddUp(result: Result): void {
  const { commands, dram, rowHits, rowMisses, rowConflicts, bytesRead, bytesWritten } = memoryOf(result);
  const count = (pattern: RegExp): number =>
    total(Object.entries(commands).flatMap(([name, n]) => (pattern.test(name) ? [n] : [])));
  const accesses = count(/^(RD|WR|CASRD|CASWR)/);
  expect(total(dram.activity.flat())).toBe(accesses);
  expect(total(dram.channelBytes)).toBe(accesses * dram.burstBytes);
  expect(rowHits + rowMisses + rowConflicts).toBe(accesses);
  expect((accesses + dram.forwarded + dram.coalesced) * dram.burstBytes).toBeGreaterThanOrEqual(
    bytesRead + bytesWritten,
  );
  for (const bank of dram.activity) expect(bank).toHaveLength(dram.activity[0]!.length);
  expect(dram.banks).toHaveLength(dram.activity.length);
  expect(dram.activity[0]!.length).toBeLessThanOrEqual(64);
  expect(dram.bin * dram.activity[0]!.length).toBeGreaterThanOrEqual(result.seconds);
}

/** Mapping for streams: neighbours in another channel, pseudo-channel and bank group. */
const striped = 'row-bank-column-bankGroup-pseudoChannel-channel';
const hbm2 = `use: dram/hbm2, organisation: HBM2_8Gb, speed: HBM2_2000Mbps, channels: 2, mapping: ${striped}`;

const drams = [
  hbm2,
  'use: dram/hbm3, channels: 2, refreshes: per-bank, page: closed',
  'use: dram/ddr4, channels: 1, latency: 10 ns, page: capped 2',
  'use: dram/lpddr5, channels: 4, page: timeout 100 ns',
];

describe('a machine with DRAM', () => {
  it('computes what the evaluator does and accounts for all of it, whatever the order of visits', () => {
    let bound = 0;
    fc.assert(
      fc.property(
        scenarios({ clocks: ['1 GHz', '940 MHz', '333 MHz'] }),
        fc.constantFrom(...drams),
        fc.nat(),
        (scenario, dram, seed) => {
          const loaded = load(scenario);
          const arch = withDram(scenario.machine, dram);
          const program = tryBind({ ...loaded, arch });
          if (program === null) return;
          bound++;
          const result = simulate({ ...loaded, arch, values: true });
          for (const { maxRelError } of result.values!.outputs) expect(maxRelError).toBeLessThanOrEqual(1e-9);
          expectToAddUp(result, loaded.workload.workload);
          expectDramToAddUp(result);
          const { workload } = loaded.workload;
          const record = new Machine(arch, () => new ShuffledKernel(seed)).run(program, { workload });
          const { version, arch: about } = result;
          const again = measure({ arch, workload, program, overrides: about.overrides, version }, record);
          expect({ ...again, notes: [] }).toEqual({ ...result, notes: [], values: undefined });
        },
      ),
      { numRuns: 30, seed: 3, endOnFailure: true },
    );
    expect(bound).toBeGreaterThan(12);
  });

  it.each(
    (['gemmini', 'tpu-v4', 'multi-core', 'flat'] as const).flatMap((machine, i) =>
      ['conv2d', 'gemm-sparse-2-4', 'mlp', 'softmax'].map((name) => [machine, name, drams[i]!] as const),
    ),
  )('runs on %s: %s, with %s', (machine, name, dram) => {
    const workload = shipped(name, smallShapes[name]);
    const result = simulate({ arch: shippedWithDram(machine, dram), workload, values: true });
    for (const { maxRelError } of result.values!.outputs) expect(maxRelError).toBeLessThanOrEqual(1e-9);
    // Cores have einsums of their own.
    if (machine !== 'multi-core') expectToAddUp(result, workload.workload);
    expectDramToAddUp(result);
  });
});

describe('a stream that the memory bounds', () => {
  const reading = aWorkload('Z[m] = X[m,n]', { ranks: 'M: 512, N: 4096', inputs: 'X[m,n]', output: 'Z[m]' });
  const fast = {
    vector: 'clock: core, lanes: 1024, operations: { add: 1 }',
    buffer: 'capacity: 1 MiB, width: 4 KiB, latency: 0 cycles',
  };
  const run = (dram: string, workload: LoadedWorkload = reading): Result =>
    simulate({ arch: aMachine({ ...fast, dram }), workload });
  const quiet = run(`${hbm2}, refreshes: none`);

  it('is as fast as ideal memory of the same peak but for its first access, turns to new rows and its last data', () => {
    const ideal = simulate({
      arch: aMachine({ ...fast, hbm: 'bandwidth: 64 GB/s, latency: 0 ns' }),
      workload: reading,
    });
    expect(memoryOf(quiet).peakBandwidth).toBe(64e9);
    expect(quiet.seconds).toBeGreaterThan(ideal.seconds);
    expect(quiet.seconds).toBeLessThan(1.02 * ideal.seconds);
  });

  it('loses what refreshes take: every tREFI a precharge of all banks, the refresh, and an activation', () => {
    // HBM2_8Gb at HBM2_2000Mbps: tRP 14, tRFC 350, tRCD 14 and tREFI 3900 cycles of 1 ns. Data that come while banks close
    // hide a little.
    const lost = (14 + 350 + 14) / 3900;
    const share = 1 - quiet.seconds / run(hbm2).seconds;
    expect(share).toBeGreaterThan(0.93 * lost);
    expect(share).toBeLessThan(1.03 * lost);
  });

  it('reads every byte once, in whole accesses', () => {
    const { bytesRead, commands, dram, tensors } = memoryOf(quiet);
    expect(bytesRead).toBe(512 * 4096);
    expect(tensors).toEqual({ X: { read: 512 * 4096, written: 0 }, Z: { read: 0, written: 512 } });
    expect(commands.RD! + dram.forwarded).toBe((512 * 4096) / 32);
    expect(dram.channelBytes[0]).toBeCloseTo(dram.channelBytes[1]!, -4);
    expect(dram.banks[6]).toBe('pseudo channel 0, bank group 1, bank 2');
    expect([dram.page, dram.refresh, dram.mapping, dram.scheduler]).toEqual(['open', 'none', striped, 'frfcfs']);
  });

  it('is slower where every access turns to another row', () => {
    const columns = aWorkload('Z[n] = X[m,n]', { ranks: 'M: 512, N: 4096', inputs: 'X[m,n]', output: 'Z[n]' });
    const far = `${hbm2.replace(striped, 'bank-row-column-bankGroup-pseudoChannel-channel')}, refreshes: none`;
    const memory = memoryOf(run(far, columns));
    expect(memory.bandwidth).toBeLessThan(memoryOf(quiet).bandwidth);
  });

  it('refreshes until the end of the run, also when nothing is asked for', () => {
    const slow = simulate({ arch: aMachine({ dram: hbm2 }), workload: aGemm(64, 64, 64) });
    const refreshes = Math.floor(slow.seconds / 3.9e-6);
    // One for each pseudo-channel of each channel.
    expect(refreshes).toBeGreaterThan(2);
    expect(memoryOf(slow).commands.REFab).toBe(4 * refreshes);
  });
});

describe('energy of DRAM', () => {
  const ddr4 = 'use: dram/ddr4, channels: 1';
  const workload = aGemm(32, 32, 32);

  it('is that of its commands and of standby, where its currents are known', () => {
    const result = simulate({ arch: shippedWithDram('flat', ddr4), workload });
    const spent = result.energy.by.hbm!;
    expect(Object.keys(spent)).toEqual(
      expect.arrayContaining(['activate', 'read', 'write', 'background active', 'background precharged']),
    );
    for (const joules of Object.values(spent)) expect(joules).toBeGreaterThan(0);
    const all = Object.values(result.energy.by).flatMap((actions) => Object.values(actions));
    expect(result.energy.total).toBeCloseTo(total(all), 15);
  });

  it('is that of the bits moved otherwise', () => {
    const result = simulate({ arch: shippedWithDram('flat', `${hbm2}, technology: HBM2`), workload });
    expect(Object.keys(result.energy.by.hbm!)).toEqual(['read', 'write']);
  });
});
