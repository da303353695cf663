/**
 * A pipeline of stages that steps every cycle: tokens move over a channel a hop in each, and so does the word that there is room
 * again; a server moves its bytes part by part. Slow, and meant to be obviously right.
 */
import type { ChannelSpec, PipelineSpec, ServerSpec } from '../../models/dataflow/pipeline-spec.ts';

export interface TickedStage {
  busy: number;
  waitInput: number;
  waitOutput: number;
  waitMemory: number;
  idle: number;
  start: number;
  end: number;
}

export interface TickedRun {
  readonly cycles: number;
  readonly stages: readonly TickedStage[];
  readonly moved: readonly number[];
}

/** Tokens, or words that there is room, on their way: how many hops each has left. */
class Wires {
  readonly #left: number[] = [];
  arrived = 0;

  send(hops: number): void {
    this.#left.push(hops);
  }

  tick(): void {
    for (let i = 0; i < this.#left.length; i++) this.#left[i]!--;
    while (this.#left[0] === 0) {
      this.#left.shift();
      this.arrived++;
    }
  }

  get isEmpty(): boolean {
    return this.#left.length === 0;
  }
}

class Channel {
  readonly spec: ChannelSpec;
  readonly tokens = new Wires();
  readonly room = new Wires();
  taken = 0;
  claimed = 0;
  freed = 0;

  constructor(spec: ChannelSpec) {
    this.spec = spec;
  }

  tick(): void {
    this.tokens.tick();
    this.room.tick();
  }

  needed(firing: number): number {
    return this.spec.use === 'all' ? this.spec.tokens : firing + 1;
  }

  hasTokens(firing: number): boolean {
    return this.tokens.arrived >= this.needed(firing);
  }

  hasRoom(firing: number): boolean {
    const wanted = Math.min(firing + 1, this.spec.tokens);
    return wanted <= Math.min(this.spec.capacity, this.spec.tokens) + this.room.arrived;
  }

  give(firing: number, isLast: boolean): void {
    if (this.spec.tokens > 1 || firing < 0 || isLast) this.tokens.send(this.spec.send);
  }

  free(firing: number, isLast: boolean): void {
    const until = this.spec.use === 'each' ? firing + 1 : isLast ? this.spec.tokens : 0;
    for (; this.freed < until; this.freed++) this.room.send(this.spec.reply);
  }
}

interface Stage extends TickedStage {
  fired: number;
  /** Cycle at which it ends what it does; -1: it does nothing. */
  until: number;
  asked: number;
  /** Bytes that its server has not moved; -1: it asks for none. */
  left: number;
}

/** Null: it came to a stop. */
export function tickPipeline({ stages: specs, channels: wires, servers }: PipelineSpec): TickedRun | null {
  const stages = specs.map((): Stage => {
    const account = { busy: 0, waitInput: 0, waitOutput: 0, waitMemory: 0, idle: 0, start: 0, end: 0 };
    return { ...account, fired: 0, until: -1, asked: -1, left: -1 };
  });
  const channels = wires.map((spec) => new Channel(spec));
  const pumps = servers.map(
    (spec, s) =>
      new Pump(
        spec,
        specs.flatMap(({ server }, i) => (server === s ? [i] : [])),
      ),
  );
  const into = (i: number) => channels.filter(({ spec }) => spec.to === i);
  const outOf = (i: number) => channels.filter(({ spec }) => spec.from === i);
  const isLoad = (i: number) => specs[i]!.server >= 0 && into(i).length === 0;
  /** Words that are not on wires yet, as their tile is still on its way from a server: cycle, channel, firing. */
  const later: { at: number; channel: Channel; isLast: boolean; firing: number }[] = [];

  const end = (i: number, cycle: number, latency: number): void => {
    const stage = stages[i]!;
    const firing = stage.fired++;
    const isLast = stage.fired === specs[i]!.firings;
    stage.end = cycle;
    for (const channel of outOf(i)) later.push({ at: cycle + latency, channel, isLast, firing });
    for (const channel of into(i)) channel.free(firing, isLast);
  };

  let last = 0;
  for (let cycle = 0; stages.some(({ fired }, i) => fired < specs[i]!.firings); cycle++) {
    if (cycle > 200_000 || cycle > last + 2_000) return null;
    if (cycle > 0) for (const channel of channels) channel.tick();
    stages.forEach((stage, i) => {
      if (stage.until !== cycle) return;
      const { server, bytes, interval } = specs[i]!;
      stage.until = -1;
      last = cycle;
      if (server < 0) end(i, cycle, 0);
      else {
        const busy = Math.max(Math.ceil((bytes * servers[server]!.cycles) / servers[server]!.bytes), interval);
        stage.busy += busy;
        stage.waitMemory += cycle - stage.asked - busy;
        end(i, cycle, servers[server]!.latency + specs[i]!.latency);
      }
    });
    for (const word of later.filter(({ at }) => at === cycle)) word.channel.give(word.firing, word.isLast);
    stages.forEach((stage, i) => {
      const { firings, interval, server, bytes } = specs[i]!;
      if (stage.fired === firings || stage.until >= 0 || stage.left >= 0) return;
      const missing = into(i).find((channel) => !channel.hasTokens(stage.fired));
      if (missing) {
        if (isLoad(missing.spec.from)) stage.waitMemory++;
        else stage.waitInput++;
      } else if (outOf(i).some((channel) => !channel.hasRoom(stage.fired))) stage.waitOutput++;
      else {
        last = cycle;
        if (stage.fired === 0) stage.start = cycle;
        if (server >= 0) {
          stage.asked = cycle;
          stage.left = bytes;
        } else {
          stage.until = cycle + interval;
          stage.busy += interval;
        }
      }
    });
    for (const pump of pumps) {
      pump.tick(cycle, stages, specs, (i) => {
        last = cycle;
        stages[i]!.until = Math.max(cycle + 1, stages[i]!.asked + specs[i]!.interval);
      });
    }
  }
  const ends = stages.map(
    ({ end: at }, i) => at + (specs[i]!.server >= 0 ? servers[specs[i]!.server]!.latency + specs[i]!.latency : 0),
  );
  const cycles = Math.max(0, ...ends);
  for (const stage of stages) stage.idle = cycles - stage.busy - stage.waitInput - stage.waitOutput - stage.waitMemory;
  return {
    cycles,
    stages: stages.map(({ busy, waitInput, waitOutput, waitMemory, idle, start, end: at }) => {
      return { busy, waitInput, waitOutput, waitMemory, idle, start, end: at };
    }),
    moved: pumps.map(({ moved }) => moved),
  };
}

/** A server: `bytes` parts of a cycle, of which a byte takes `cycles`. */
class Pump {
  readonly #spec: ServerSpec;
  readonly #users: readonly number[];
  readonly #arrivals: number[] = [];
  #user = -1;
  #parts = 0;
  #size = 0;
  moved = 0;

  constructor(spec: ServerSpec, users: readonly number[]) {
    const common = divisor(spec.bytes, spec.cycles);
    this.#spec = { ...spec, bytes: spec.bytes / common, cycles: spec.cycles / common };
    this.#users = users;
  }

  tick(cycle: number, stages: readonly Stage[], specs: PipelineSpec['stages'], whole: (stage: number) => void): void {
    for (let part = 0; part < this.#spec.bytes; part++) {
      if (this.#user < 0) this.#begin(cycle, stages, specs);
      if (this.#user < 0) continue;
      if (--this.#parts > 0) continue;
      const stage = stages[this.#user]!;
      stage.left -= this.#size;
      this.moved += this.#size;
      this.#arrivals.push(cycle + 1 + this.#spec.latency);
      if (stage.left === 0) {
        stage.left = -1;
        whole(this.#user);
      }
      this.#user = -1;
    }
  }

  #begin(cycle: number, stages: readonly Stage[], specs: PipelineSpec['stages']): void {
    const onTheWay = this.#arrivals.filter((at) => at > cycle).length;
    if (onTheWay >= this.#spec.window) return;
    const user = this.#users.find((i) => stages[i]!.left > 0);
    if (user === undefined) return;
    this.#user = user;
    this.#size = Math.min(stages[user]!.left, specs[user]!.request);
    this.#parts = this.#size * this.#spec.cycles;
  }
}

function divisor(a: number, b: number): number {
  return b === 0 ? a : divisor(b, a % b);
}
