import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { packageRoot } from '../../../arch/language/library.ts';
import { loadArch } from '../../../arch/language/load.ts';
import { Clock } from '../../../models/kernel/clock.ts';
import { Kernel, Process } from '../../../models/kernel/kernel.ts';
import { bytesOf, type MoeLayer, runMoeLayer } from '../../../models/streaming/moe-layer.ts';
import { type Asking, OffChip } from '../../../models/streaming/off-chip.ts';
import { stepMachine } from '../../../models/streaming/step-machine.ts';
import { expertTraceFiles, readExpertTrace } from '../../../workloads/llm/expert-trace.ts';
import { type Ask, tickOffChip } from '../../reference/off-chip-ticker.ts';

const arch = loadArch(join(packageRoot, 'arch/step.yaml'));
const machine = stepMachine(arch);
const shelf = join(packageRoot, 'workloads/traces');
const qwen: MoeLayer = {
  dim: 2048,
  hidden: 768,
  activeExperts: 8,
  bytesPerElement: 2,
  ...readExpertTrace(join(shelf, 'qwen3-30b-a3b-b64.experts.csv'), { experts: 128, activeExperts: 8 }),
};

/** Asks once. */
class Asker extends Process implements Asking {
  done: number | null = null;
  readonly #ask: Ask;
  readonly #memory: OffChip;
  #phase = 0;

  constructor(kernel: Kernel, clock: Clock, memory: OffChip, ask: Ask) {
    super(kernel, 'asker', clock);
    this.#memory = memory;
    this.#ask = ask;
  }

  get finished(): boolean {
    return this.done !== null;
  }

  answered(at: number): void {
    this.done = at;
  }

  run(): void {
    const phase = this.#phase++;
    if (phase === 0) this.kernel.at(this.#ask.at, this);
    if (phase === 1) this.#memory.ask(this, this.#ask.requests, this.#ask.at);
  }
}

describe('memory of many loaders', () => {
  const asks = fc.array(fc.record({ at: fc.nat(200), requests: fc.integer({ min: 1, max: 60 }) }), {
    minLength: 1,
    maxLength: 20,
  });
  const options = fc.record({
    channels: fc.integer({ min: 1, max: 6 }),
    interval: fc.integer({ min: 1, max: 4 }),
    latency: fc.integer({ min: 1, max: 20 }),
  });

  it('answers when channels that are ticked do', () => {
    fc.assert(
      fc.property(asks, options, (unsorted, memoryOptions) => {
        const sorted = unsorted.toSorted((a, b) => a.at - b.at);
        const kernel = new Kernel();
        const clock = new Clock('core', 1e9, 1e9);
        const memory = new OffChip(kernel, clock, memoryOptions);
        const askers = sorted.map((ask) => new Asker(kernel, clock, memory, ask));
        kernel.run();
        expect(askers.map(({ done }) => done)).toEqual(tickOffChip(sorted, memoryOptions));
        expect(memory.requests).toBe(sorted.reduce((sum, { requests }) => sum + requests, 0));
      }),
      { numRuns: 300 },
    );
  });
});

describe('a layer of experts', () => {
  it('takes the cycles of its parts one after another, of one tile in one step', () => {
    const layer = { batch: 2, dim: 64, hidden: 32, activeExperts: 1, tokens: [2], bytesPerElement: 2 };
    const { cycles, tiles, requestBytes } = runMoeLayer(machine, layer, { tile: 4, hiddenTile: 32, regions: 1 });
    const answer = (requests: number) => requests + 18;
    const read = 2 * answer(2) + 1;
    // Three loaders send one request a cycle each, which is no more than channels take; each row of 32 columns is one request.
    const weights = answer(64) + 1;
    const product = Math.max((64 * 32 * 2) / 64, (4 * 64 * 32 * 2) / 1024) + 1;
    const activation = Math.ceil((4 * 32 * 8) / 1024) + 1 + Math.ceil((4 * 32) / 1024) + 1;
    const written = 2 * (1 + answer(4));
    expect(tiles).toBe(1);
    expect(cycles).toBe(read + weights + product + activation + product + written);
    expect(requestBytes).toBe(64 * (2 * 2 + 3 * 64 + 2 * 4));
  });

  it('is bound by units where they are slower, by memory where it is', () => {
    const tiling = { tile: 32, hiddenTile: 48 } as const;
    const busiest = 19 * 16 * 6144;
    const few = runMoeLayer(machine, qwen, { ...tiling, regions: 4 }).cycles;
    expect(few).toBeGreaterThan(busiest);
    expect(few).toBeLessThan(1.02 * busiest);
    const requests = 60 * 16 * (2 * 4096 + 3072);
    const many = runMoeLayer(machine, qwen, { tile: 'dynamic', hiddenTile: 48, regions: 128 }).cycles;
    expect(many).toBeGreaterThan(requests / 16);
    expect(many).toBeLessThan((1.06 * requests) / 16);
  });

  it('moves the bytes of the artifact', () => {
    const tiles = (tile: number | 'dynamic') =>
      qwen.tokens.reduce((sum, n) => sum + Math.ceil(n / (tile === 'dynamic' ? n || 1 : tile)), 0);
    expect([16, 32, 64, 'dynamic' as const].map(tiles)).toEqual([72, 61, 60, 60]);
    expect([72, 61, 60].map((count) => bytesOf(qwen, count))).toEqual([680264704, 576455680, 567018496]);
    // qwen_scaled of its access_reuse notebook: 44 tokens, 32-bit floats, 80, 64, 58 and 57 tiles of 8, 16, 32 and 64.
    const scaled = { batch: 44, dim: 128, hidden: 48, activeExperts: 8, tokens: [], bytesPerElement: 4 };
    expect([80, 64, 58, 57].map((count) => bytesOf(scaled, count))).toEqual([5944704, 4765056, 4322688, 4248960]);
  });

  it('is the same whether or not experts without tokens are there', () => {
    const tiling = { tile: 'dynamic', hiddenTile: 16 } as const;
    const layer = { batch: 8, dim: 64, hidden: 32, activeExperts: 2, bytesPerElement: 2 };
    const { cycles } = runMoeLayer(machine, { ...layer, tokens: [8, 5, 3] }, { ...tiling, regions: 3 });
    const sparse = { ...layer, tokens: [8, 0, 5, 0, 0, 3] };
    expect(runMoeLayer(machine, sparse, { ...tiling, regions: 6 }).cycles).toBe(cycles);
  });

  it('says what does not fit', () => {
    const run = (change: object) => () =>
      runMoeLayer(machine, qwen, { tile: 32, hiddenTile: 48, regions: 64, ...change });
    expect(run({ tile: 0 })).toThrow('tiles of 0 tokens, not a whole number from 1');
    expect(run({ hiddenTile: 50 })).toThrow('tiles of 50 columns do not divide the hidden dimension, 768');
    expect(run({ regions: 48 })).toThrow('128 experts cannot be shared out to 48 regions');
    expect(() => runMoeLayer(machine, { ...qwen, batch: 40 }, { tile: 32, hiddenTile: 48, regions: 4 })).toThrow(
      'expert 118 has 42 tokens of a batch of 40',
    );
    const none = { ...qwen, tokens: qwen.tokens.map(() => 0) };
    expect(() => runMoeLayer(machine, none, { tile: 32, hiddenTile: 48, regions: 4 })).toThrow('no expert has a token');
  });

  it('says what its machine lacks', () => {
    expect(() => stepMachine(arch.deleteIn(['parts', 'loader']))).toThrow('machine step has no expert region');
    expect(() => stepMachine(arch.setIn(['parts', 'hbm', 'bandwidth'], 40e9))).toThrow('machine step has 1.6 cycles');
  });
});

describe('a trace of experts', () => {
  const folder = mkdtempSync(join(tmpdir(), 'clockwright-experts-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const shape = { experts: 4, activeExperts: 2 };
  const trace = (lines: string) => {
    const file = join(folder, 'some.experts.csv');
    writeFileSync(file, `expert,tokens\n${lines}`);
    return () => readExpertTrace(file, shape);
  };

  it('is found by its name', () => {
    expect(expertTraceFiles().get('qwen3-30b-a3b-b64')).toBe(join(shelf, 'qwen3-30b-a3b-b64.experts.csv'));
  });

  it('counts tokens of the layer', () => {
    expect(trace('3,2\n0,4\n1,2\n')()).toEqual({ tokens: [4, 2, 0, 2], batch: 4 });
  });

  it('says which line names no expert, or one again', () => {
    expect(trace('0,4\n4,4\n')).toThrow(/\.csv:3:1 {2}there is no expert 4[\s\S]*they are 0 to 3/);
    expect(trace('0,4\n1,2\n0,2\n')).toThrow(/\.csv:4:1 {2}expert 0 is in line 2 already/);
    expect(trace('0,x\n')).toThrow(/\.csv:2:3 {2}"x" is no tokens/);
  });

  it('says what does not add up', () => {
    expect(trace('0,3\n')).toThrow('experts have 3 tokens, which are no batch of tokens with 2 experts each');
    expect(trace('0,4\n')).toThrow('expert 0 has 4 tokens, but there are 2');
  });
});
