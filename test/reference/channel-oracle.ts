/**
 * The slow twin of models/kernel: actors, channels and shared servers, ticked through every edge of every clock.
 *
 * It has no law of times. A token (a freed slot) is in flight for so many edges of the clock that sent it, an actor tries
 * its next step at every edge of its own clock, and a server counts down the cycles of the request that it serves.
 */

/** What an actor does, in order, in every iteration. Cycles and delays are of the actor's clock. */
export type Step =
  | { readonly do: 'acquire' | 'reserve'; readonly channel: number }
  /** Takes effect `delay` cycles later, while the actor goes on: the depth of a pipeline. */
  | { readonly do: 'release' | 'publish'; readonly channel: number; readonly delay: number }
  | { readonly do: 'work'; readonly cycles: number }
  /** Waits until a server, first come first served, has worked for so many cycles of its clock, at least 1. */
  | { readonly do: 'serve'; readonly server: number; readonly cycles: number };

export interface ActorSpec {
  /** Position in `Graph.clocks`. */
  readonly clock: number;
  readonly iterations: number;
  readonly steps: readonly Step[];
}

export interface ChannelSpec {
  /** Positions in `Graph.actors`. */
  readonly from: number;
  readonly to: number;
  readonly capacity: number;
  readonly sendLatency: number;
  readonly replyLatency: number;
  readonly initial: number;
}

export interface Graph {
  /** Hertz. */
  readonly clocks: readonly number[];
  readonly actors: readonly ActorSpec[];
  readonly channels: readonly ChannelSpec[];
  /** Each server's clock. */
  readonly servers: readonly number[];
}

/** Where an actor that cannot go on stands. Actors and channels are named by their positions: a0, c0. */
export interface Standstill {
  readonly process: string;
  readonly cycle: number;
  readonly ps: number;
  readonly channel: string;
  readonly for: 'token' | 'slot';
  readonly on: string;
}

export interface Outcome {
  /** Per actor, the cycle of its clock in which each of its steps was done. */
  readonly times: readonly (readonly number[])[];
  /** Every actor that never finishes; empty unless there is a deadlock. */
  readonly waits: readonly Standstill[];
}

/** Ticks a graph until every actor has finished or nothing can happen any more. */
export function simulate(graph: Graph): Outcome {
  const clocks = graph.clocks.map((hertz) => new Ticker(hertz));
  const servers = graph.servers.map((clock) => new Server(clocks[clock]!));
  const channels = graph.channels.map(
    (spec) => new Wire(spec, clocks[graph.actors[spec.from]!.clock]!, clocks[graph.actors[spec.to]!.clock]!),
  );
  const actors = graph.actors.map((spec, id) => new Actor(id, spec, clocks[spec.clock]!, channels, servers));
  const patience = longestPause(graph);
  let now = 0;
  for (let lastStep = 0; now - lastStep <= patience && actors.some((actor) => !actor.finished); ) {
    now = Math.min(...clocks.map((clock) => clock.edge));
    for (const clock of clocks) clock.ticks = clock.edge === now;
    for (const channel of channels) channel.tick();
    for (const server of servers) server.tick();
    for (const actor of actors) if (actor.tick(now)) lastStep = now;
    for (const server of servers) server.start();
    for (const clock of clocks) if (clock.ticks) clock.advance();
  }
  return {
    times: actors.map((actor) => actor.times),
    waits: actors.filter((actor) => !actor.finished).map((actor) => actor.standstill(graph.channels)),
  };
}

/** Picoseconds after which, if no actor has done a step, none ever will. */
function longestPause(graph: Graph): number {
  const latencies = graph.channels.map((channel) => Math.max(channel.sendLatency, channel.replyLatency));
  const lengths = graph.actors.flatMap((actor) =>
    actor.steps.map((step) => ('cycles' in step ? step.cycles : 'delay' in step ? step.delay : 0)),
  );
  const cycles = Math.max(0, ...latencies) + Math.max(0, ...lengths) + 2;
  return cycles * Math.max(...graph.clocks.map((hertz) => Math.ceil(1e12 / hertz)));
}

/** The edges floor(k x 10^12 / hertz), one after the other, with the remainder carried on. */
class Ticker {
  readonly #hertz: number;
  #remainder = 0;
  cycle = 0;
  edge = 0;
  ticks = false;

  constructor(hertz: number) {
    this.#hertz = hertz;
  }

  advance(): void {
    const ps = this.#remainder + 1e12;
    this.cycle++;
    this.edge += Math.floor(ps / this.#hertz);
    this.#remainder = ps % this.#hertz;
  }
}

/** Tokens and free slots by the edges that they are still in flight, oldest first. */
class Wire {
  readonly #spec: ChannelSpec;
  readonly #sender: Ticker;
  readonly #receiver: Ticker;
  #tokens: number[];
  #slots: number[];

  constructor(spec: ChannelSpec, sender: Ticker, receiver: Ticker) {
    this.#spec = spec;
    this.#sender = sender;
    this.#receiver = receiver;
    this.#tokens = Array(spec.initial).fill(0);
    this.#slots = Array(spec.capacity - spec.initial).fill(0);
  }

  tick(): void {
    if (this.#sender.ticks) this.#tokens = this.#tokens.map((edges) => edges - 1);
    if (this.#receiver.ticks) this.#slots = this.#slots.map((edges) => edges - 1);
  }

  reserve(): boolean {
    return takeArrived(this.#slots);
  }

  acquire(): boolean {
    return takeArrived(this.#tokens);
  }

  publish(delay: number): void {
    this.#tokens.push(delay + this.#spec.sendLatency);
  }

  release(delay: number): void {
    this.#slots.push(delay + this.#spec.replyLatency);
  }
}

function takeArrived(inFlight: number[]): boolean {
  if (inFlight.length === 0 || inFlight[0]! > 0) return false;
  inFlight.shift();
  return true;
}

interface Request {
  readonly actor: number;
  cycles: number;
  served: boolean;
}

/** Serves one request at a time, in the order of arrival; those that arrive at once in the order of their actors. */
class Server {
  readonly #clock: Ticker;
  readonly #queue: Request[] = [];
  #arrivals: Request[] = [];
  #serving: Request | null = null;

  constructor(clock: Ticker) {
    this.#clock = clock;
  }

  tick(): void {
    if (!this.#clock.ticks || this.#serving === null) return;
    this.#serving.cycles--;
    if (this.#serving.cycles > 0) return;
    this.#serving.served = true;
    this.#serving = null;
  }

  ask(actor: number, cycles: number): Request {
    const request = { actor, cycles, served: false };
    this.#arrivals.push(request);
    return request;
  }

  start(): void {
    this.#queue.push(...this.#arrivals.sort((a, b) => a.actor - b.actor));
    this.#arrivals = [];
    if (this.#clock.ticks) this.#serving ??= this.#queue.shift() ?? null;
  }
}

class Actor {
  readonly times: number[] = [];
  readonly #id: number;
  readonly #spec: ActorSpec;
  readonly #clock: Ticker;
  readonly #channels: readonly Wire[];
  readonly #servers: readonly Server[];
  #iteration = 0;
  #step = 0;
  /** When the step in hand began. */
  #since = { cycle: 0, ps: 0 };
  #request: Request | null = null;

  constructor(id: number, spec: ActorSpec, clock: Ticker, channels: readonly Wire[], servers: readonly Server[]) {
    this.#id = id;
    this.#spec = spec;
    this.#clock = clock;
    this.#channels = channels;
    this.#servers = servers;
  }

  get finished(): boolean {
    return this.#iteration === this.#spec.iterations;
  }

  /** Does every step that can be done now; false if there was none. */
  tick(now: number): boolean {
    let any = false;
    while (this.#clock.ticks && !this.finished && this.#try(this.#spec.steps[this.#step]!)) {
      any = true;
      this.times.push(this.#clock.cycle);
      this.#since = { cycle: this.#clock.cycle, ps: now };
      this.#step++;
      if (this.#step < this.#spec.steps.length) continue;
      this.#step = 0;
      this.#iteration++;
    }
    return any;
  }

  #try(step: Step): boolean {
    switch (step.do) {
      case 'acquire':
        return this.#channels[step.channel]!.acquire();
      case 'reserve':
        return this.#channels[step.channel]!.reserve();
      case 'release':
        this.#channels[step.channel]!.release(step.delay);
        return true;
      case 'publish':
        this.#channels[step.channel]!.publish(step.delay);
        return true;
      case 'work':
        return this.#clock.cycle - this.#since.cycle >= step.cycles;
      case 'serve': {
        this.#request ??= this.#servers[step.server]!.ask(this.#id, step.cycles);
        const served = this.#request.served;
        if (served) this.#request = null;
        return served;
      }
    }
  }

  standstill(channels: readonly ChannelSpec[]): Standstill {
    const step = this.#spec.steps[this.#step]!;
    if (step.do !== 'acquire' && step.do !== 'reserve') throw new Error(`a${this.#id} stands still in ${step.do}`);
    const { from, to } = channels[step.channel]!;
    const token = step.do === 'acquire';
    return {
      process: `a${this.#id}`,
      ...this.#since,
      channel: `c${step.channel}`,
      for: token ? 'token' : 'slot',
      on: `a${token ? from : to}`,
    };
  }
}
