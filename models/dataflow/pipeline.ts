/**
 * Runs a placed pipeline. Channels keep the kernel's law (models/kernel/channel.ts): a k-th token is taken at
 * max(t, visible[k]), and room for it is found at max(t, freed[k - capacity]). Every stage runs ahead of the others until it must
 * wait, so that stages are visited once for many tiles; no result depends on the order of the visits. Servers are used in the order
 * of time: a request is served when no stage can go on, and its effects are later than the decision.
 */
import { DeadlockError, type Wait } from '../kernel/kernel.ts';
import type { ChannelSpec, PipelineRun, PipelineSpec, StageAccount } from './pipeline-spec.ts';
import { Server } from './server.ts';

/** @throws DeadlockError when no stage can go on; RangeError when a channel's numbers do not fit its stages */
export function runPipeline(spec: PipelineSpec, hertz = 1e12): PipelineRun {
  return new Pipeline(spec, hertz).run();
}

/** How a receiver uses tokens, as a number. */
const uses = { each: 0, keep: 1, all: 2 } as const;

class Pipeline {
  readonly #spec: PipelineSpec;
  readonly #hertz: number;
  readonly #servers: readonly Server[];
  // Of stages.
  readonly #firings: Float64Array;
  readonly #fired: Float64Array;
  readonly #interval: Float64Array;
  readonly #server: Int32Array;
  /** Time of a stage: the end of its last firing, and while it gathers its next one, when it has what it has so far. */
  readonly #time: Float64Array;
  /** Whether a request of it waits at its server. */
  readonly #waiting: Uint8Array;
  readonly #dirty: Uint8Array;
  readonly #busy: Float64Array;
  readonly #waitMemory: Float64Array;
  readonly #start: Float64Array;
  /** Channels into and out of stage i: entries [at[i], at[i + 1]) of the list. */
  readonly #inAt: Int32Array;
  readonly #in: Int32Array;
  readonly #outAt: Int32Array;
  readonly #out: Int32Array;
  // Of channels.
  readonly #from: Int32Array;
  readonly #to: Int32Array;
  readonly #tokens: Float64Array;
  readonly #use: Uint8Array;
  readonly #capacity: Float64Array;
  readonly #send: Float64Array;
  readonly #reply: Float64Array;
  readonly #mask: Int32Array;
  readonly #base: Int32Array;
  readonly #visible: Float64Array;
  readonly #freed: Float64Array;
  readonly #reserved: Float64Array;
  readonly #published: Float64Array;
  readonly #acquired: Float64Array;
  readonly #released: Float64Array;
  readonly #tokenWait: Float64Array;
  readonly #roomWait: Float64Array;

  constructor(spec: PipelineSpec, hertz: number) {
    const { stages, channels, servers } = spec;
    this.#spec = spec;
    this.#hertz = hertz;
    const ofStages = (value: (i: number) => number): Float64Array => Float64Array.from(stages, (_, i) => value(i));
    const ofChannels = (value: (channel: ChannelSpec) => number): Float64Array => Float64Array.from(channels, value);
    this.#firings = ofStages((i) => stages[i]?.firings ?? 0);
    this.#interval = ofStages((i) => stages[i]?.interval ?? 0);
    this.#server = Int32Array.from(stages, ({ server }) => server);
    const zeros = (count: number): Float64Array => new Float64Array(count);
    this.#fired = zeros(stages.length);
    this.#time = zeros(stages.length);
    this.#busy = zeros(stages.length);
    this.#waitMemory = zeros(stages.length);
    this.#start = zeros(stages.length);
    this.#waiting = new Uint8Array(stages.length);
    this.#dirty = new Uint8Array(stages.length).fill(1);
    for (const channel of channels) checkChannel(channel, spec);
    [this.#inAt, this.#in] = grouped(
      channels.map(({ to }) => to),
      stages.length,
    );
    [this.#outAt, this.#out] = grouped(
      channels.map(({ from }) => from),
      stages.length,
    );
    this.#from = Int32Array.from(channels, ({ from }) => from);
    this.#to = Int32Array.from(channels, ({ to }) => to);
    this.#tokens = ofChannels(({ tokens }) => tokens);
    this.#use = Uint8Array.from(channels, ({ use }) => uses[use]);
    this.#capacity = ofChannels(({ capacity, tokens }) => Math.min(capacity, tokens));
    this.#send = ofChannels(({ send }) => send);
    this.#reply = ofChannels(({ reply }) => reply);
    const slots = Array.from(this.#capacity, (capacity) => 2 ** Math.ceil(Math.log2(capacity)));
    this.#mask = Int32Array.from(slots, (count) => count - 1);
    this.#base = new Int32Array(slots.length);
    for (let c = 1; c < slots.length; c++) this.#base[c] = this.#base[c - 1]! + slots[c - 1]!;
    const all = slots.reduce((sum, count) => sum + count, 0);
    this.#visible = zeros(all);
    this.#freed = zeros(all);
    this.#reserved = zeros(channels.length);
    this.#published = zeros(channels.length);
    this.#acquired = zeros(channels.length);
    this.#released = zeros(channels.length);
    this.#tokenWait = zeros(channels.length);
    this.#roomWait = zeros(channels.length);
    this.#servers = servers.map((server, s) => new Server(server, stages, s));
  }

  run(): PipelineRun {
    for (;;) {
      this.#sweep();
      const server = this.#nextServer();
      if (server === null) break;
      this.#serve(server);
    }
    const isDone = this.#fired.every((count, i) => count === this.#firings[i]);
    if (!isDone) throw new DeadlockError(this.#waits());
    return this.#measured();
  }

  /** Lets every stage that may go on do so, in the order of the list, until none can. */
  #sweep(): void {
    const dirty = this.#dirty;
    for (let again = true; again; ) {
      again = false;
      for (let i = 0; i < dirty.length; i++) {
        if (dirty[i] === 0) continue;
        dirty[i] = 0;
        again = true;
        this.#advance(i);
      }
    }
  }

  /** Runs a stage until it must wait. */
  #advance(i: number): void {
    const firings = this.#firings[i]!;
    if (this.#waiting[i] === 1) return;
    const isServed = this.#server[i]! >= 0;
    if (!isServed && this.#fired[i]! > 0) this.#flow(i);
    while (this.#fired[i]! < firings && this.#gather(i)) {
      if (isServed) {
        this.#waiting[i] = 1;
        this.#servers[this.#server[i]!]!.ask(i, this.#time[i]!);
        return;
      }
      const end = this.#time[i]! + this.#interval[i]!;
      this.#busy[i]! += this.#interval[i]!;
      this.#fire(i, end, end);
    }
  }

  /** As many tiles as go, of a stage with one input and one output that takes and gives a token for each: what most are. */
  #flow(i: number): void {
    const at = this.#inAt[i]!;
    const to = this.#outAt[i]!;
    if (this.#inAt[i + 1]! - at !== 1 || this.#outAt[i + 1]! - to !== 1) return;
    const [c, d] = [this.#in[at]!, this.#out[to]!];
    const firings = this.#firings[i]!;
    const index = this.#fired[i]!;
    // What a visit before this one has gathered in part is for the general way.
    if (this.#use[c] !== 0 || this.#tokens[d] !== firings || this.#acquired[c] !== index || this.#reserved[d] !== index)
      return;
    const [visible, freed, interval] = [this.#visible, this.#freed, this.#interval[i]!];
    const [inBase, inMask, outBase, outMask] = [this.#base[c]!, this.#mask[c]!, this.#base[d]!, this.#mask[d]!];
    const [capacity, send, reply] = [this.#capacity[d]!, this.#send[d]!, this.#reply[c]!];
    const end = Math.min(firings, this.#published[c]!, this.#released[d]! + capacity);
    let [t, tokenWait, roomWait] = [this.#time[i]!, 0, 0];
    for (let k = index; k < end; k++) {
      const token = visible[inBase + (k & inMask)]!;
      if (token > t) {
        tokenWait += token - t;
        t = token;
      }
      const room = k < capacity ? 0 : freed[outBase + ((k - capacity) & outMask)]!;
      if (room > t) {
        roomWait += room - t;
        t = room;
      }
      t += interval;
      visible[outBase + (k & outMask)] = t + send;
      freed[inBase + (k & inMask)] = t + reply;
    }
    if (end <= index) return;
    this.#time[i] = t;
    this.#fired[i] = end;
    this.#acquired[c] = end;
    this.#released[c] = end;
    this.#reserved[d] = end;
    this.#published[d] = end;
    this.#busy[i]! += (end - index) * interval;
    this.#tokenWait[c]! += tokenWait;
    this.#roomWait[d]! += roomWait;
    this.#dirty[this.#from[c]!] = 1;
    this.#dirty[this.#to[d]!] = 1;
  }

  /** Waits for tokens, then for room. False: what it needs is not known yet. */
  #gather(i: number): boolean {
    const index = this.#fired[i]!;
    let t = this.#time[i]!;
    for (let at = this.#inAt[i]!; at < this.#inAt[i + 1]!; at++) {
      const c = this.#in[at]!;
      const needed = this.#use[c] === 2 ? this.#tokens[c]! : index + 1;
      while (this.#acquired[c]! < needed) {
        if (this.#acquired[c]! >= this.#published[c]!) {
          this.#time[i] = t;
          return false;
        }
        const visible = this.#visible[this.#base[c]! + (this.#acquired[c]! & this.#mask[c]!)]!;
        this.#acquired[c]!++;
        if (visible > t) {
          this.#tokenWait[c]! += visible - t;
          t = visible;
        }
      }
    }
    for (let at = this.#outAt[i]!; at < this.#outAt[i + 1]!; at++) {
      const c = this.#out[at]!;
      const needed = Math.min(index + 1, this.#tokens[c]!);
      if (this.#reserved[c]! >= needed) continue;
      const k = this.#reserved[c]! - this.#capacity[c]!;
      if (k >= 0) {
        if (k >= this.#released[c]!) {
          this.#time[i] = t;
          return false;
        }
        const freed = this.#freed[this.#base[c]! + (k & this.#mask[c]!)]!;
        if (freed > t) {
          this.#roomWait[c]! += freed - t;
          t = freed;
        }
      }
      this.#reserved[c]!++;
    }
    if (index === 0) this.#start[i] = t;
    this.#time[i] = t;
    return true;
  }

  /** Ends a firing: what was taken is free at `end`, results are there at `given`. */
  #fire(i: number, end: number, given: number): void {
    const index = this.#fired[i]!;
    const isLast = index + 1 === this.#firings[i]!;
    this.#time[i] = end;
    this.#fired[i] = index + 1;
    for (let at = this.#outAt[i]!; at < this.#outAt[i + 1]!; at++) {
      const c = this.#out[at]!;
      if (this.#tokens[c] === 1 && !isLast) continue;
      this.#visible[this.#base[c]! + (this.#published[c]! & this.#mask[c]!)] = given + this.#send[c]!;
      this.#published[c]!++;
      this.#dirty[this.#to[c]!] = 1;
    }
    for (let at = this.#inAt[i]!; at < this.#inAt[i + 1]!; at++) {
      const c = this.#in[at]!;
      const until = this.#use[c] === 0 ? index + 1 : isLast ? this.#tokens[c]! : 0;
      while (this.#released[c]! < until) {
        this.#freed[this.#base[c]! + (this.#released[c]! & this.#mask[c]!)] = end + this.#reply[c]!;
        this.#released[c]!++;
        this.#dirty[this.#from[c]!] = 1;
      }
    }
  }

  /** The server whose next request is served first; null when none has any. */
  #nextServer(): Server | null {
    let first: Server | null = null;
    for (const server of this.#servers) {
      if (server.isAsked && (first === null || server.nextCycle < first.nextCycle)) first = server;
    }
    return first;
  }

  /** Serves requests until a tile is whole, or another server's turn comes. */
  #serve(server: Server): void {
    const i = server.serve();
    if (i < 0) return;
    const asked = this.#time[i]!;
    const end = Math.max(server.finished, asked + this.#interval[i]!);
    const busy = Math.max(server.cyclesOf(i), this.#interval[i]!);
    this.#busy[i]! += busy;
    this.#waitMemory[i]! += end - asked - busy;
    this.#waiting[i] = 0;
    this.#fire(i, end, end + server.latencyOf(i));
    this.#dirty[i] = 1;
  }

  #measured(): PipelineRun {
    const { stages, channels } = this.#spec;
    let cycles = 0;
    for (let i = 0; i < stages.length; i++) cycles = Math.max(cycles, this.#end(i));
    const waits = channels.map((_, c) => ({ token: this.#tokenWait[c]!, room: this.#roomWait[c]! }));
    return {
      cycles,
      stages: stages.map((_, i) => this.#account(i, cycles)),
      waits,
      moved: this.#servers.map(({ moved }) => moved),
      hops: this.#published.reduce((sum, count) => sum + count, 0),
    };
  }

  /** When all that a stage does has ended; what is written has then arrived. */
  #end(i: number): number {
    const server = this.#server[i]! >= 0 ? this.#servers[this.#server[i]!] : undefined;
    return this.#time[i]! + (server?.latencyOf(i) ?? 0);
  }

  #account(i: number, cycles: number): StageAccount {
    const { stages } = this.#spec;
    let waitInput = 0;
    let waitMemory = this.#waitMemory[i]!;
    let waitOutput = 0;
    for (let at = this.#inAt[i]!; at < this.#inAt[i + 1]!; at++) {
      const c = this.#in[at]!;
      // What a stage with a server and nothing before it sends comes from memory.
      const from = this.#from[c]!;
      const isLoad = stages[from]!.server >= 0 && this.#inAt[from] === this.#inAt[from + 1];
      if (isLoad) waitMemory += this.#tokenWait[c]!;
      else waitInput += this.#tokenWait[c]!;
    }
    for (let at = this.#outAt[i]!; at < this.#outAt[i + 1]!; at++) waitOutput += this.#roomWait[this.#out[at]!]!;
    const busy = this.#busy[i]!;
    const idle = cycles - busy - waitInput - waitOutput - waitMemory;
    return { busy, waitInput, waitOutput, waitMemory, idle, start: this.#start[i]!, end: this.#time[i]! };
  }

  /** What stages that have not ended wait for. */
  #waits(): Wait[] {
    const { stages, channels } = this.#spec;
    return stages.flatMap(({ name }, i): Wait[] => {
      if (this.#fired[i] === this.#firings[i]) return [];
      const index = this.#fired[i]!;
      const wait = (c: number, what: Wait['for'], other: number): Wait[] => {
        const cycle = this.#time[i]!;
        const ps = Math.floor((cycle * 1e12) / this.#hertz);
        return [{ process: name, cycle, ps, channel: channels[c]!.name, for: what, on: stages[other]!.name }];
      };
      for (let at = this.#inAt[i]!; at < this.#inAt[i + 1]!; at++) {
        const c = this.#in[at]!;
        const needed = this.#use[c] === 2 ? this.#tokens[c]! : index + 1;
        if (this.#acquired[c]! < needed) return wait(c, 'token', this.#from[c]!);
      }
      for (let at = this.#outAt[i]!; at < this.#outAt[i + 1]!; at++) {
        const c = this.#out[at]!;
        if (this.#reserved[c]! < Math.min(index + 1, this.#tokens[c]!)) return wait(c, 'slot', this.#to[c]!);
      }
      return [];
    });
  }
}

/** @throws RangeError when a channel's tokens do not fit the firings of its ends, or a latency or capacity is below 1 */
function checkChannel(
  { name, from, to, tokens, use, capacity, send, reply }: ChannelSpec,
  { stages }: PipelineSpec,
): void {
  const wrong = (what: string): RangeError => new RangeError(`channel ${name}: ${what}`);
  const given = stages[from]?.firings;
  const taken = stages[to]?.firings;
  if (tokens !== 1 && tokens !== given) throw wrong(`${tokens} tokens of ${given} firings`);
  if (use !== 'all' && tokens !== taken) throw wrong(`${tokens} tokens for ${taken} firings`);
  if (use !== 'each' && capacity < tokens) throw wrong(`room for ${capacity} of ${tokens} tokens that stay`);
  for (const one of [capacity, send, reply])
    if (!(Number.isInteger(one) && one >= 1)) throw wrong(`${one} is no whole number from 1`);
}

/** Indices by group, as a list and where each group begins in it. */
function grouped(groups: readonly number[], count: number): [Int32Array, Int32Array] {
  const at = new Int32Array(count + 1);
  for (const group of groups) at[group + 1]!++;
  for (let g = 0; g < count; g++) at[g + 1]! += at[g]!;
  const next = at.slice();
  const list = new Int32Array(groups.length);
  groups.forEach((group, i) => {
    list[next[group]!++] = i;
  });
  return [at, list];
}
