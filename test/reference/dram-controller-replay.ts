/** Plays request traces into the ticking controller. */
import { banksOf, type DramDevice } from '../../arch/language/dram/device.ts';
import type { ControllerPolicy } from '../../models/memory/dram/policy.ts';
import { type CommandLog, TickingController } from './dram-controller.ts';

export interface ReplayRequest {
  readonly write: boolean;
  /** In tree order. */
  readonly bank: number;
  readonly row: number;
  readonly column: number;
  readonly block: number;
}

export interface Injection {
  /** Ticks from an accepted request to the next attempt; there is one a tick at most. */
  readonly gap: number;
  /** Requests sent and not completed. */
  readonly outstanding: number;
}

/** Plays requests into a controller, an attempt before each tick, until all are completed; returns the controller. */
export function replayTicking(
  device: DramDevice,
  policy: ControllerPolicy,
  requests: readonly ReplayRequest[],
  { gap, outstanding }: Injection,
  log?: CommandLog,
): TickingController {
  const controller = new TickingController(device, policy, log);
  let [sent, nextAttempt] = [0, 0];
  while (controller.completed < requests.length) {
    const now = controller.clock;
    if (sent < requests.length && now >= nextAttempt && sent - controller.completed < outstanding) {
      const { write, bank, row, column, block } = requests[sent];
      if (controller.send(write, bank, row, column, block)) {
        sent++;
        nextAttempt = now + gap;
      }
    }
    controller.tick();
  }
  return controller;
}

/** A request before its address is taken apart: blocks are numbered through the whole channel. */
export interface BlockRequest {
  readonly write: boolean;
  readonly block: number;
}

export type TraceName =
  | 'stream_read'
  | 'random_read'
  | 'mixed_random'
  | 'mixed_triad'
  | 'pingpong'
  | 'rowconflict'
  | 'chase';

/** The first requests of a reference trace. `rowStride` is the distance, in blocks, of rows of one bank. */
export function traceRequests(name: TraceName, count: number, rowStride: number): BlockRequest[] {
  const next = traceSource(name, rowStride);
  return Array.from({ length: count }, (_, index) => next(index));
}

function traceSource(name: TraceName, rowStride: number): (index: number) => BlockRequest {
  const read = (block: number) => ({ write: false, block });
  switch (name) {
    case 'stream_read':
      return read;
    case 'random_read': {
      const next = xorshift32(0x9e3779b9);
      return () => read(next() & 0xffffff);
    }
    case 'chase': {
      const next = xorshift32(0xdeadbeef);
      return () => read(next() & 0xffffff);
    }
    case 'mixed_random': {
      const next = xorshift32(0x2545f491);
      return () => ({ block: next() & 0xffffff, write: next() % 3 === 0 });
    }
    case 'mixed_triad':
      // Two arrays are read and a third one is written, each a third of 2^24 blocks.
      return (index) => ({ write: index % 3 === 2, block: (index % 3) * 5592405 + Math.floor(index / 3) });
    case 'pingpong':
      return (index) => read(((2 * (index >> 6) + (index & 1)) % 4096) * rowStride + ((index >> 1) % 32));
    case 'rowconflict':
      return (index) => read((index % 4096) * rowStride + (index % 16));
  }
}

function xorshift32(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}

/** The fields of a block's address, the least significant first: a level or `row` or `column`, and how many bits it has. */
export type AddressMapping = readonly (readonly [field: string, bits: number])[];

/** Takes a block's address apart. */
export function locate(device: DramDevice, mapping: AddressMapping, { write, block }: BlockRequest): ReplayRequest {
  const field = new Map<string, number>();
  let rest = block;
  for (const [name, bits] of mapping) {
    field.set(name, rest % 2 ** bits);
    rest = Math.floor(rest / 2 ** bits);
  }
  const bank = device.levels.reduce((index, level, at) => index * device.counts[at] + (field.get(level) ?? 0), 0);
  if (bank >= banksOf(device)) throw new Error(`bank ${bank} is not one of ${device.name}`);
  return { write, bank, row: field.get('row') ?? 0, column: field.get('column') ?? 0, block };
}
