/** Random graphs of actors (test/reference/channel-oracle.ts), and the kernel's run of them. */
import fc from 'fast-check';
import { blocked, Channel } from '../../../models/kernel/channel.ts';
import { Clock } from '../../../models/kernel/clock.ts';
import { DeadlockError, Kernel, Process } from '../../../models/kernel/kernel.ts';
import type { ActorSpec, ChannelSpec, Graph, Outcome, Step } from '../../reference/channel-oracle.ts';

/** Runs a graph on the kernel. */
export function run(graph: Graph, kernel = new Kernel()): Outcome {
  const clocks = graph.clocks.map((hertz, i) => new Clock(`k${i}`, hertz));
  const servers = graph.servers.map((clock) => new Server(clocks[clock]!));
  const actors = graph.actors.map((spec, i) => new Actor(kernel, `a${i}`, clocks[spec.clock]!, spec, servers));
  const channels = graph.channels.map((spec, i) => new Channel(`c${i}`, actors[spec.from]!, actors[spec.to]!, spec));
  for (const actor of actors) actor.channels = channels;
  const waits = deadlockOf(kernel)?.waits ?? [];
  return { times: actors.map((actor) => actor.times), waits };
}

/** Runs a kernel; the deadlock that it ends in, or null when every process finishes. */
export function deadlockOf(kernel: Kernel): DeadlockError | null {
  try {
    kernel.run();
    return null;
  } catch (error) {
    if (error instanceof DeadlockError) return error;
    throw error;
  }
}

/** Visits processes in an order that depends on the seed alone. */
export class ShuffledKernel extends Kernel {
  readonly #waiting: Process[] = [];
  #state: number;

  constructor(seed: number) {
    super();
    this.#state = seed;
  }

  protected override takeReady(): Process | undefined {
    for (let next = super.takeReady(); next !== undefined; next = super.takeReady()) this.#waiting.push(next);
    this.#state = (Math.imul(this.#state, 1664525) + 1013904223) >>> 0;
    const picked = Math.floor((this.#state / 2 ** 32) * this.#waiting.length);
    return this.#waiting.splice(picked, 1)[0];
  }
}

/** Serves requests in the order in which it is asked. */
class Server {
  readonly #clock: Clock;
  #free = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** When a request that comes now is done, in picoseconds. */
  serve(now: number, cycles: number): number {
    this.#free = Math.max(this.#free, this.#clock.cycleAtOrAfter(now)) + cycles;
    return this.#clock.edge(this.#free);
  }
}

class Actor extends Process {
  readonly times: number[] = [];
  channels: readonly Channel[] = [];
  readonly #spec: ActorSpec;
  readonly #servers: readonly Server[];
  #iteration = 0;
  #step = 0;
  #parked = false;

  constructor(kernel: Kernel, name: string, clock: Clock, spec: ActorSpec, servers: readonly Server[]) {
    super(kernel, name, clock);
    this.#spec = spec;
    this.#servers = servers;
  }

  get finished(): boolean {
    return this.#iteration === this.#spec.iterations;
  }

  run(): void {
    while (!this.finished && this.#do(this.#spec.steps[this.#step]!)) {
      this.times.push(this.time);
      this.#step++;
      if (this.#step < this.#spec.steps.length) continue;
      this.#step = 0;
      this.#iteration++;
    }
  }

  #do(step: Step): boolean {
    switch (step.do) {
      case 'acquire':
        return this.#wait(this.channels[step.channel]!, 'token');
      case 'reserve':
        return this.#wait(this.channels[step.channel]!, 'slot');
      case 'release':
        this.channels[step.channel]!.release(this.time + step.delay);
        return true;
      case 'publish':
        this.channels[step.channel]!.publish(this.time + step.delay);
        return true;
      case 'work':
        this.time += step.cycles;
        return true;
      case 'serve': {
        const now = this.clock.edge(this.time);
        this.#parked = !this.#parked;
        if (this.#parked) {
          this.kernel.at(now, this);
          return false;
        }
        this.time = this.clock.cycleAtOrAfter(this.#servers[step.server]!.serve(now, step.cycles));
        return true;
      }
    }
  }

  #wait(channel: Channel, what: 'token' | 'slot'): boolean {
    const t = what === 'token' ? channel.acquire(this.time) : channel.reserve(this.time);
    if (t === blocked) {
      this.waitOn(channel, what);
      return false;
    }
    this.time = t;
    return true;
  }
}

type Draw = (min: number, max: number) => number;

/**
 * Random graphs of 2 to 8 actors with forks, joins, feedback and self loops. Clocks are drawn from `hertz`, servers (at
 * most `servers`) from the same. Most graphs finish; some deadlock at once, some late.
 */
export function graphs(hertz: readonly number[], servers = 0): fc.Arbitrary<Graph> {
  return fc.gen().map((generate) => {
    const draw: Draw = (min, max) => generate(fc.integer, { min, max });
    const some = <T>(most: number, make: () => T, least = 0) => Array.from({ length: draw(least, most) }, make);
    const clocks = hertz.length === 1 ? [...hertz] : some(3, () => hertz[draw(0, hertz.length - 1)]!, 2);
    const clock = () => draw(0, clocks.length - 1);
    const serverClocks = servers === 0 ? [] : some(servers, clock, 1);
    const size = draw(2, 8);
    const channels = some(10, () => drawChannel(draw, size), 1);
    const rates = channels.map(() => Math.max(1, draw(-3, 2)));
    const iterations = draw(1, 40);
    const actors = Array.from({ length: size }, (_, id) => ({
      clock: clock(),
      iterations: draw(0, 19) === 0 ? draw(0, 40) : iterations,
      steps: drawSteps(draw, id, channels, rates, serverClocks.length),
    }));
    return { clocks, actors, channels, servers: serverClocks };
  });
}

function drawChannel(draw: Draw, size: number): ChannelSpec {
  const ends = [draw(0, size - 1), draw(0, size - 1)].sort((a, b) => a - b);
  const backwards = ends[0] === ends[1] || draw(0, 3) === 0;
  if (backwards) ends.reverse();
  const capacity = Math.max(1, draw(-2, 9));
  const initial = backwards ? draw(Math.min(capacity, draw(0, 3)), capacity) : Math.max(0, draw(-3, capacity));
  const [from, to] = ends as [number, number];
  return { from, to, capacity, sendLatency: draw(1, 4), replyLatency: draw(1, 4), initial };
}

/** The steps of an actor that takes and gives `rates[c]` tokens of every channel c that it is an end of. */
function drawSteps(
  draw: Draw,
  id: number,
  channels: readonly ChannelSpec[],
  rates: readonly number[],
  servers: number,
): Step[] {
  const form = draw(0, 3);
  const steps: { at: number; step: Step }[] = [];
  // Places in the iteration: before the work (0 to 3), the work at 4, after it.
  const place = (opens: number, closes: number) => {
    if (form > 0) return [opens, closes] as const;
    return [draw(0, 8), draw(0, 8)].sort((a, b) => a - b) as [number, number];
  };
  const delay = () => Math.max(0, draw(-4, 3));
  channels.forEach(({ from, to }, channel) => {
    for (let token = 0; token < rates[channel]!; token++) {
      if (to === id) {
        const [acquire, release] = place(0, form === 1 ? 8 : 0);
        steps.push({ at: acquire, step: { do: 'acquire', channel } });
        steps.push({ at: release, step: { do: 'release', channel, delay: delay() } });
      }
      if (from === id) {
        const [reserve, publish] = place(form === 1 ? 2 : 6, 6);
        steps.push({ at: reserve, step: { do: 'reserve', channel } });
        steps.push({ at: publish, step: { do: 'publish', channel, delay: delay() } });
      }
    }
  });
  const serves = servers > 0 && draw(0, 2) > 0;
  const work: Step = serves
    ? { do: 'serve', server: draw(0, servers - 1), cycles: draw(1, 4) }
    : { do: 'work', cycles: draw(0, 4) };
  steps.push({ at: 4, step: work });
  return steps.sort((a, b) => a.at - b.at).map(({ step }) => step);
}
