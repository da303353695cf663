/**
 * The slow twin of folds that stall (models/binding/fold-section.ts and what runs it): a memory, scratchpads, DMAs and a
 * systolic array, ticked every cycle. It knows no loop programs and no channels. From a plan it writes down the folds in
 * order, the pieces that each needs, and which of them are the same piece; a piece is fetched when it is first needed and
 * given up after its last use, which is looked up in the list. Then every part does in every cycle what it can.
 *
 * One clock runs everything. What the parts are, beside what comments say where it acts:
 *
 * - Memory and scratchpads serve requests first come, first served, at so many bytes per cycle, which need not be whole.
 *   Of requests of one cycle the array's come first, then those of inputs, weights, results, and partial sums.
 * - A DMA moves one piece at a time, its requests at both ends made at once, and takes a cycle at least.
 * - The array does the steps of its folds in order. It begins one when all is there that the step needs, and counts every
 *   cycle before that for the first thing missing: inputs, weights, partial sums, then room for results. A load that
 *   another fold hides takes no time of its own; the results leave so much later instead.
 * - Results need room in their scratchpad when they leave the array, and the array stands still when there is none. So it
 *   begins a step while the results that have been begun are fewer than the scratchpad's places and what it can itself hold.
 */
import type { FoldFlow, FoldPlan } from '../../models/binding/fold-plan.ts';
import { hiddenPhases, type Piece, Schedule, type Step } from './fold-schedule.ts';

/** A memory or a scratchpad: `bytes` in every `cycles` cycles, both whole, and cycles until they have arrived. */
export interface StoreTiming {
  readonly bytes: number;
  readonly cycles: number;
  readonly latency: number;
}

export interface Surroundings {
  readonly memory: StoreTiming;
  readonly pads: ReadonlyMap<string, StoreTiming>;
  /** Bits of every tensor's elements. */
  readonly elementBits: number;
}

/** What a cycle of the array was lost to; `ports`: its scratchpads gave it its words more slowly than it uses them. */
export type Cause = 'inputs' | 'weights' | 'sums' | 'room' | 'ports';

export interface StallRun {
  /** Until the last part has done its last work. */
  readonly cycles: number;
  readonly busy: number;
  readonly stalls: Readonly<Record<Cause, number>>;
  /** Bytes by "store tensor read" and "store tensor written"; the memory's name is `memory`. */
  readonly moved: ReadonlyMap<string, number>;
  /** Most bytes at once, by scratchpad: a piece's from when its transfer begins until its last use has ended. */
  readonly peaks: ReadonlyMap<string, number>;
}

/** A plan for an array that takes one cycle per step. @throws Error when it is not done in a million cycles. */
export function runFolds(plan: FoldPlan, surroundings: Surroundings): StallRun {
  return new Chip(plan, surroundings).run();
}

/** Cycles from the end of a step that makes results until they have left the array. */
function leavingOf(plan: FoldPlan, { phase }: FoldFlow): number {
  const { load, drain, length, period } = plan.grid.cycles;
  if (phase === 'drain') return length - period;
  return drain + (hiddenPhases[plan.grid.array.overlap].includes('load') ? load : 0);
}

/** Pieces of results that the array can hold. */
function heldInside(plan: FoldPlan, flow: FoldFlow): number {
  const { stream, period } = plan.grid.cycles;
  return Math.ceil((leavingOf(plan, flow) * flow.pieces.count) / (flow.phase === 'stream' ? stream : period));
}

interface Request {
  /** What is left of it, in bytes times the server's `cycles`, so that it is whole. */
  left: number;
  served: boolean;
}

/** A memory's or a scratchpad's ports. */
class Server {
  readonly #timing: StoreTiming;
  readonly #queue: Request[] = [];

  constructor(timing: StoreTiming) {
    this.#timing = timing;
  }

  request(bytes: number): Request {
    const isNothing = bytes === 0 && this.#queue.length === 0;
    const request = { left: bytes * this.#timing.cycles, served: isNothing };
    if (!isNothing) this.#queue.push(request);
    return request;
  }

  /** Serves until the end of the cycle; what one request leaves of it goes to the next in line. */
  tick(): void {
    let credit = this.#timing.bytes;
    for (let head = this.#queue[0]; head && head.left <= credit; head = this.#queue[0]) {
      credit -= head.left;
      head.served = true;
      this.#queue.shift();
    }
    const [head] = this.#queue;
    if (head) head.left -= credit;
  }
}

/** Places for pieces. */
class Places {
  readonly #capacity: number;
  #taken = 0;
  /** When each place given back will be seen to be free. */
  readonly #free: number[] = [];

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  hasRoom(now: number): boolean {
    while (this.#free.length > 0 && this.#free[0]! <= now) {
      this.#free.shift();
      this.#taken--;
    }
    return this.#taken < this.#capacity;
  }

  take(): void {
    this.#taken++;
  }

  /** A place that is given back is seen a cycle later. */
  giveBack(now: number): void {
    this.#free.push(now + 1);
  }
}

/** How many bytes come into a scratchpad or leave it, and when. */
class Ledger {
  readonly #changes: { readonly at: number; readonly bytes: number }[] = [];

  add(at: number, bytes: number): void {
    this.#changes.push({ at, bytes });
  }

  /** Of what changes in a cycle, what leaves does so first. */
  get peak(): number {
    this.#changes.sort((a, b) => a.at - b.at || a.bytes - b.bytes);
    let now = 0;
    let most = 0;
    for (const { bytes } of this.#changes) {
      now += bytes;
      most = Math.max(most, now);
    }
    return most;
  }
}

/** One piece's way through a DMA. */
interface Transfer {
  readonly piece: Piece;
  readonly canBegin: (now: number) => boolean;
  readonly begin: (now: number) => void;
  readonly end: (now: number) => void;
}

class Dma {
  readonly #transfers: readonly Transfer[];
  readonly #request: (bytes: number) => Request[];
  #next = 0;
  #current: { readonly transfer: Transfer; readonly began: number; readonly requests: readonly Request[] } | null =
    null;

  constructor(transfers: readonly Transfer[], request: (bytes: number) => Request[]) {
    this.#transfers = transfers;
    this.#request = request;
  }

  get isDone(): boolean {
    return this.#current === null && this.#next === this.#transfers.length;
  }

  step(now: number): void {
    if (this.#current !== null) {
      const { transfer, began, requests } = this.#current;
      if (now === began || !requests.every(({ served }) => served)) return;
      transfer.end(now);
      this.#current = null;
    }
    const transfer = this.#transfers[this.#next];
    if (!transfer?.canBegin(now)) return;
    this.#next++;
    transfer.begin(now);
    const requests = transfer.piece.isNew ? this.#request(transfer.piece.content.bytes) : [];
    this.#current = { transfer, began: now, requests };
  }
}

class Chip {
  readonly #plan: FoldPlan;
  readonly #schedule: Schedule;
  readonly #memory: Server;
  readonly #memoryLatency: number;
  readonly #pads = new Map<string, { readonly server: Server; readonly latency: number; readonly ledger: Ledger }>();
  readonly #dmas: Dma[] = [];
  readonly #moved = new Map<string, number>();
  readonly #stalls: Record<Cause, number> = { inputs: 0, weights: 0, sums: 0, room: 0, ports: 0 };
  /** Places of what the array gives back after a step: by the piece. */
  readonly #placesOf = new Map<Piece, Places>();
  readonly #results: FoldFlow;
  readonly #room: Places;
  #busy = 0;
  #index = 0;
  #running: { readonly until: number; readonly requests: readonly Request[] } | null = null;
  #now = 0;

  constructor(plan: FoldPlan, { memory, pads, elementBits }: Surroundings) {
    this.#plan = plan;
    this.#schedule = new Schedule(plan, elementBits);
    this.#memory = new Server(memory);
    this.#memoryLatency = memory.latency;
    for (const [name, timing] of pads) {
      this.#pads.set(name, { server: new Server(timing), latency: timing.latency, ledger: new Ledger() });
    }
    this.#results = plan.flows.find(({ role }) => role === 'results')!;
    const { slots } = this.#results;
    // Partial sums on their way to memory and those on their way back have half of the places each.
    const places = plan.spills ? Math.ceil(slots / 2) : slots;
    this.#room = new Places(places + heldInside(plan, this.#results));
    for (const flow of plan.flows) {
      if (flow.role !== 'results') this.#load(flow, this.#schedule.pieces.get(flow)!, new Places(flow.slots));
    }
    this.#store();
  }

  run(): StallRun {
    const { steps } = this.#schedule;
    while (this.#index < steps.length || this.#dmas.some((dma) => !dma.isDone)) {
      this.#stepArray();
      for (const dma of this.#dmas) dma.step(this.#now);
      this.#memory.tick();
      for (const { server } of this.#pads.values()) server.tick();
      if (++this.#now > 1e6) throw new Error('the folds have come to a stop');
    }
    return {
      // The last cycle was one in which only the end of the last transfer was seen.
      cycles: this.#now - 1,
      busy: this.#busy,
      stalls: this.#stalls,
      moved: this.#moved,
      peaks: new Map([...this.#pads].map(([name, { ledger }]) => [name, ledger.peak])),
    };
  }

  #stepArray(): void {
    const { steps } = this.#schedule;
    for (let step = steps[this.#index]; step; step = steps[this.#index]) {
      if (this.#running === null) {
        const missing = this.#missing(step);
        if (missing !== null) {
          this.#stalls[missing]++;
          return;
        }
        this.#begin(step);
      }
      const { until, requests } = this.#running!;
      if (this.#now < until) {
        this.#busy++;
        return;
      }
      if (!requests.every(({ served }) => served)) {
        this.#stalls.ports++;
        return;
      }
      this.#end(step);
    }
  }

  #missing({ needs, result }: Step): Cause | null {
    const late = needs.find(({ piece }) => piece.visible > this.#now);
    if (late) return late.cause;
    return result?.firstStep === this.#index && !this.#room.hasRoom(this.#now) ? 'room' : null;
  }

  #begin({ cycles, result, words }: Step): void {
    if (result?.firstStep === this.#index) this.#room.take();
    const requests = words.map(({ pad, tensor, bytes, write }) => this.#requestPad(pad, tensor, bytes, write));
    this.#running = { until: this.#now + cycles, requests };
  }

  #end({ needs, result }: Step): void {
    for (const { piece, pad } of needs) {
      if (piece.lastStep === this.#index) this.#placesOf.get(piece)!.giveBack(this.#now);
      // A piece that shares its content with others is the last to use its part of it.
      if (piece.content.lastStep === this.#index) this.#ledger(pad).add(this.#now, -piece.content.bytes);
    }
    if (result !== null) this.#giveResult(result);
    this.#running = null;
    this.#index++;
  }

  /** A sum that stays for the next row fold has its place from the first time that it leaves the array. */
  #giveResult(result: Piece): void {
    const { pad } = this.#results;
    const left = this.#now + leavingOf(this.#plan, this.#results);
    if (result.firstStep === this.#index) this.#ledger(pad).add(left, result.content.bytes);
    // Through the scratchpad, and a register.
    if (result.lastStep === this.#index) result.visible = left + this.#pads.get(pad)!.latency + 1;
  }

  /** Brings pieces as soon as there is a place for each. */
  #load(flow: FoldFlow, pieces: readonly Piece[], places: Places, isThere = (_at: number, _now: number) => true): void {
    const { pad, tensor } = flow;
    const transfers = pieces.map((piece, at): Transfer => {
      this.#placesOf.set(piece, places);
      return {
        piece,
        canBegin: (now) => isThere(at, now) && places.hasRoom(now),
        begin: (now) => {
          places.take();
          if (piece.isNew) this.#ledger(pad).add(now, piece.content.bytes);
        },
        // The memory's latency, then the scratchpad's, and a register. The DMA goes on with its next piece meanwhile.
        end: (now) => {
          piece.visible = now + this.#memoryLatency + this.#pads.get(pad)!.latency + 1;
        },
      };
    });
    this.#addDma(transfers, pad, tensor, false);
  }

  /** Takes results to memory, and brings those back that later folds add to. */
  #store(): void {
    const flow = this.#results;
    const { slots, pad, tensor } = flow;
    const storedAt = new Map<Piece, number>();
    const transfers = this.#schedule.pieces.get(flow)!.map(
      (piece): Transfer => ({
        piece,
        canBegin: (now) => piece.visible <= now,
        begin: () => {},
        end: (now) => {
          storedAt.set(piece, now);
          this.#room.giveBack(now);
          this.#ledger(pad).add(now, -piece.content.bytes);
        },
      }),
    );
    this.#addDma(transfers, pad, tensor, true);
    const { sums } = this.#schedule;
    const pieces = sums.map(({ piece }) => piece);
    // The other DMA hears a cycle later that a sum is in memory.
    const isThere = (at: number, now: number): boolean => (storedAt.get(sums[at]!.stored) ?? Infinity) < now;
    if (sums.length > 0) this.#load(flow, pieces, new Places(Math.floor(slots / 2)), isThere);
  }

  #addDma(transfers: readonly Transfer[], pad: string, tensor: string, toMemory: boolean): void {
    const request = (bytes: number): Request[] => {
      this.#count(`memory ${tensor} ${toMemory ? 'written' : 'read'}`, bytes);
      return [this.#memory.request(bytes), this.#requestPad(pad, tensor, bytes, !toMemory)];
    };
    this.#dmas.push(new Dma(transfers, request));
  }

  #requestPad(pad: string, tensor: string, bytes: number, write: boolean): Request {
    this.#count(`${pad} ${tensor} ${write ? 'written' : 'read'}`, bytes);
    return this.#pads.get(pad)!.server.request(bytes);
  }

  #count(what: string, bytes: number): void {
    this.#moved.set(what, (this.#moved.get(what) ?? 0) + bytes);
  }

  #ledger(pad: string): Ledger {
    return this.#pads.get(pad)!.ledger;
  }
}
