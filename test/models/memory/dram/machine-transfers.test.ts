import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { DramDevice } from '../../../../arch/language/dram/device.ts';
import { compileMapping } from '../../../../arch/language/dram/mapping.ts';
import { memoryDevice } from '../../../../arch/language/dram/memory.ts';
import { Clock, Ratio } from '../../../../models/kernel/clock.ts';
import { Kernel, Process } from '../../../../models/kernel/kernel.ts';
import type { Controller } from '../../../../models/memory/dram/controller.ts';
import { Dram } from '../../../../models/memory/dram/memory.ts';
import { type ControllerPolicy, defaultPolicy } from '../../../../models/memory/dram/policy.ts';
import type { Runs } from '../../../../models/memory/dram/stream.ts';
import type { Requester, Transfer } from '../../../../models/memory/dram/transfers.ts';
import {
  type Client,
  type Hardware,
  type Outcome,
  TickingMemory,
  type Wish,
} from '../../../reference/dram-transfers.ts';
import { ShuffledKernel } from '../../kernel/graph.ts';
import { aMachine } from '../../machines.ts';

/** Asks a memory for what a client wishes, one after another. */
class Asking extends Process implements Requester {
  readonly outcomes: Outcome[] = [];
  readonly #client: Client;
  readonly #dram: Dram;
  readonly #transfers: Transfer[] = [];
  #next = 0;
  #parked = false;

  constructor(kernel: Kernel, client: Client, dram: Dram) {
    super(kernel, 'client', Clock.ofPeriod('client', new Ratio(client.period, 1)));
    this.#client = client;
    this.#dram = dram;
    this.time = client.wishes[0]?.pause ?? 0;
  }

  get finished(): boolean {
    const { length } = this.#client.wishes;
    return this.#next === length && Object.keys(this.outcomes).length === length;
  }

  run(): void {
    const wish = this.#client.wishes[this.#next];
    if (!wish) return;
    this.#parked = !this.#parked;
    const now = this.clock.edge(this.time);
    if (this.#parked) this.kernel.at(now, this);
    else {
      this.#next++;
      this.#transfers.push(this.#dram.submit(now, runsOf(wish), wish.width * wish.starts.length, wish.write, this));
    }
  }

  taken(transfer: Transfer): void {
    const wish = this.#wishOf(transfer);
    if (transfer.write) this.outcomes[this.#transfers.indexOf(transfer)] = [transfer.firstTaken, transfer.taken, 0];
    if (transfer.write || !wish.waits) this.#goOn(transfer.taken);
  }

  arrived(transfer: Transfer): void {
    const { firstTaken, taken, arrived } = transfer;
    this.outcomes[this.#transfers.indexOf(transfer)] = [firstTaken, taken, arrived];
    if (this.#wishOf(transfer).waits) this.#goOn(arrived);
  }

  #wishOf(transfer: Transfer): Wish {
    return this.#client.wishes[this.#transfers.indexOf(transfer)]!;
  }

  #goOn(tick: number): void {
    const wish = this.#client.wishes[this.#next];
    if (!wish) return;
    this.time = this.clock.cycleAtOrAfter(this.#dram.clock.edge(tick)) + wish.pause;
    this.kernel.ready(this);
  }
}

/** Stops at times of its own, so that the memory cannot go on beyond them. */
class Ticking extends Process {
  readonly #times: readonly number[];

  constructor(kernel: Kernel, times: readonly number[]) {
    super(kernel, 'other', Clock.ofPeriod('other', new Ratio(1, 1)));
    this.#times = times;
  }

  get finished(): boolean {
    return this.time > this.#times.length;
  }

  run(): void {
    const time = this.#times[this.time++];
    if (time !== undefined) this.kernel.at(time, this);
  }
}

/** Equal runs at equal distances where they are, so that loops are tried too. */
function runsOf({ starts, width }: Wish): Runs[] {
  const [first = 0, second = 0] = starts;
  const isEven = starts.every((start, i) => start === first + i * (second - first));
  if (isEven && starts.length > 1) return [{ base: first, counts: [starts.length], strides: [second - first], width }];
  return starts.map((base) => ({ base, counts: [], strides: [], width }));
}

const figures = (controllers: readonly Controller[]) =>
  controllers.map(({ commands, latencySum, rowHits, rowMisses, rowConflicts, forwarded, coalesced, activations }) => {
    return { commands, latencySum, rowHits, rowMisses, rowConflicts, forwarded, coalesced, activations };
  });

function deviceOf(use: string): DramDevice {
  const part = aMachine({ dram: `use: dram/${use}` }).parts.get('hbm');
  if (part?.kind !== 'memory' || !part.dram) throw new Error(`${use} is no memory of DRAM`);
  return memoryDevice(part.dram);
}

const devices = ['ddr4', 'hbm2', 'hbm3', 'lpddr5'].map(deviceOf);
const mappings = ['interleaved', 'RoBaRaCoCh', 'ChRaBaRoCo', 'MOP4CLXOR', 'RoBaRaCoCh, channel ^= row'];

interface Trial {
  readonly hardware: Hardware;
  readonly clients: readonly Client[];
  readonly pauses: readonly number[];
}

/** Every start and width a multiple of what lies in all channels alike, but for the last transfers of a client's in some. */
function evened(trial: Trial): Trial {
  const even = (n: number): number => Math.ceil(n / 1024) * 1024;
  const clients = trial.clients.map(({ period, wishes }) => ({
    period,
    wishes: wishes.map((wish, i) => {
      const isLeft = wishes.length > 3 && i === wishes.length - 1;
      return isLeft ? wish : { ...wish, starts: wish.starts.map((start) => even(start)), width: even(wish.width) };
    }),
  }));
  return { ...trial, clients };
}

function trials(): fc.Arbitrary<Trial> {
  const policy: fc.Arbitrary<Partial<ControllerPolicy>> = fc.record({
    scheduler: fc.constantFrom('frfcfs', 'frfcfs-row-hit'),
    page: fc.constantFrom(
      { kind: 'open' },
      { kind: 'closed' },
      { kind: 'capped', cap: 3 },
      { kind: 'timeout', ticks: 90 },
    ),
    refresh: fc.constantFrom('all-bank', 'per-bank', 'none'),
    readQueue: fc.constantFrom(2, 5, 32),
    writeQueue: fc.constantFrom(2, 5, 32),
  });
  const hardware = fc
    .record({
      device: fc.constantFrom(...devices),
      policy,
      mapping: fc.constantFrom(...mappings),
      channels: fc.constantFrom(1, 2, 4),
    })
    .map(({ device, policy: { refresh = 'none', ...rest }, mapping, channels }) => {
      const known = {
        'all-bank': device.refresh.allBank !== null,
        'per-bank': device.refresh.perBank !== null,
        none: true,
      };
      const refreshes = known[refresh] ? refresh : 'none';
      return {
        device,
        policy: { ...defaultPolicy, ...rest, refresh: refreshes },
        mapping: compileMapping(mapping, device, channels),
        channels,
      };
    });
  const starts = fc.oneof(
    fc.array(fc.nat(3000), { minLength: 1, maxLength: 4 }),
    fc
      .tuple(fc.nat(1e6), fc.integer({ min: 8, max: 9000 }), fc.integer({ min: 2, max: 20 }))
      .map(([base, stride, count]) => Array.from({ length: count }, (_, i) => base + i * stride)),
  );
  const wish = fc.record({
    write: fc.boolean(),
    starts,
    width: fc.oneof(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 3000 })),
    waits: fc.boolean(),
    pause: fc.oneof(fc.constant(0), fc.nat(40), fc.nat(3000)),
  });
  const client = fc.record({
    period: fc.constantFrom(1000, 1063, 250),
    wishes: fc.array(wish, { minLength: 1, maxLength: 6 }),
  });
  const pauses = fc.array(fc.nat(2e6), { maxLength: 40 }).map((times) => times.sort((a, b) => a - b));
  return fc.record({ hardware, clients: fc.array(client, { minLength: 1, maxLength: 4 }), pauses });
}

function play({ hardware, clients, pauses }: Trial, kernel = new Kernel(), isolated = false) {
  const dram = new Dram('dram', { ...hardware, bytesPerSecond: 1e9, isolated });
  const asking = clients.map((client) => new Asking(kernel, client, dram));
  new Ticking(kernel, pauses);
  dram.attach(kernel);
  kernel.run();
  const last = Math.max(...dram.controllers.map(({ clock }) => clock));
  return { dram, outcomes: asking.map(({ outcomes }) => outcomes), last };
}

describe('transfers on a memory of DRAM', () => {
  it('go as if every tick were executed, whatever else goes on', () => {
    const seen = { forwarded: 0, coalesced: 0, refreshes: 0, accesses: 0 };
    fc.assert(
      fc.property(fc.oneof(trials(), trials().map(evened)), (trial) => {
        const slow = new TickingMemory(trial.hardware, trial.clients);
        slow.run();
        const { dram, outcomes, last } = play(trial);
        expect(outcomes).toEqual(slow.outcomes);
        const end = Math.max(last, ...slow.controllers.map(({ clock }) => clock));
        dram.finish(dram.clock.edge(end));
        for (const controller of slow.controllers) while (controller.clock < end) controller.step(end);
        expect(figures(dram.controllers)).toEqual(figures(slow.controllers));
        const alone = play(trial, new Kernel(), true).dram;
        alone.finish(dram.clock.edge(end));
        expect(alone.activity).toEqual(dram.activity);
        for (let bank = 0; bank < alone.banks.kinds; bank++) {
          expect(dram.banks.series(bank, end)).toEqual(alone.banks.series(bank, end));
        }
        seen.forwarded += dram.controllers.reduce((sum, { forwarded }) => sum + forwarded, 0);
        seen.coalesced += dram.controllers.reduce((sum, { coalesced }) => sum + coalesced, 0);
        trial.hardware.device.commands.forEach(({ refreshes, access }, i) => {
          const count = dram.controllers.reduce((sum, { commands }) => sum + commands[i]!, 0);
          if (refreshes) seen.refreshes += count;
          if (access !== 'none') seen.accesses += count;
        });
      }),
      { numRuns: 70, seed: 7 },
    );
    expect(seen.forwarded).toBeGreaterThan(5);
    expect(seen.coalesced).toBeGreaterThan(5);
    expect(seen.refreshes).toBeGreaterThan(100);
    expect(seen.accesses).toBeGreaterThan(10_000);
  });

  it('do not depend on the order in which a kernel visits those that ask', () => {
    fc.assert(
      fc.property(trials(), fc.nat(), (trial, seed) => {
        expect(play(trial, new ShuffledKernel(seed)).outcomes).toEqual(play(trial).outcomes);
      }),
      { numRuns: 40, seed: 8 },
    );
  });
});

describe('two that ask at once', () => {
  const hbm2 = deviceOf('hbm2');
  const channels = 2;
  const mapping = compileMapping('row-bank-column-bankGroup-pseudoChannel-channel', hbm2, channels);
  const hardware = { device: hbm2, policy: defaultPolicy, mapping, channels };
  const wish = (start: number, width: number): Wish => ({
    write: false,
    starts: [start],
    width,
    waits: true,
    pause: 0,
  });
  const alone = (width: number): number => {
    const clients = [{ period: 1000, wishes: [wish(0, width)] }];
    return play({ hardware, clients, pauses: [] }).outcomes[0]![0]![2];
  };

  it('have half of the memory each', () => {
    const size = 2 ** 16;
    const clients = [0, 2 ** 20].map((start) => ({ period: 1000, wishes: [wish(start, size)] }));
    const [first, second] = play({ hardware, clients, pauses: [] }).outcomes.map(([outcome]) => outcome![2]);
    expect(Math.abs(first! - second!)).toBeLessThan(0.02 * first!);
    expect(first).toBeGreaterThan(1.9 * alone(size));
  });

  it('do not wait for each other longer than for what they ask', () => {
    const clients = [wish(0, 2 ** 17), wish(2 ** 20, 256)].map((one) => ({ period: 1000, wishes: [one] }));
    const [large, small] = play({ hardware, clients, pauses: [] }).outcomes.map(([outcome]) => outcome![2]);
    expect(small).toBeLessThan(200);
    expect(large).toBeGreaterThan(2 ** 17 / 64);
  });
});
