import { blocked, Channel } from '../../models/kernel/channel.ts';
import { Clock } from '../../models/kernel/clock.ts';
import { Kernel, Process } from '../../models/kernel/kernel.ts';
import { cpuSeconds, type Row, type Section } from './harness.ts';

/** Takes a token, works, gives a token. */
class Stage extends Process {
  input: Channel | null = null;
  output: Channel | null = null;
  readonly #cycles: number;
  readonly #tokens: number;
  #done = 0;
  #taken = false;

  constructor(kernel: Kernel, name: string, clock: Clock, cycles: number, tokens: number) {
    super(kernel, name, clock);
    this.#cycles = cycles;
    this.#tokens = tokens;
  }

  get finished(): boolean {
    return this.#done === this.#tokens;
  }

  run(): void {
    const { input, output } = this;
    let t = this.time;
    for (; this.#done < this.#tokens; this.#done++) {
      if (!this.#taken) {
        if (input !== null) {
          const acquired = input.acquire(t);
          if (acquired === blocked) {
            this.waitOn(input, 'token');
            break;
          }
          input.release(acquired);
          t = acquired;
        }
        t += this.#cycles;
        this.#taken = true;
      }
      if (output !== null) {
        const reserved = output.reserve(t);
        if (reserved === blocked) {
          this.waitOn(output, 'slot');
          break;
        }
        output.publish(reserved);
        t = reserved;
      }
      this.#taken = false;
    }
    this.time = t;
  }
}

/** A chain of stages; every third takes two cycles a token, the others one. */
function chain(length: number, capacity: number, tokens: number): Kernel {
  const kernel = new Kernel();
  const clock = new Clock('core', 1e9);
  const stages = Array.from({ length }, (_, i) => new Stage(kernel, `s${i}`, clock, i % 3 === 0 ? 2 : 1, tokens));
  for (let i = 1; i < length; i++) {
    const channel = new Channel(`c${i}`, stages[i - 1]!, stages[i]!, { capacity });
    stages[i - 1]!.output = channel;
    stages[i]!.input = channel;
  }
  return kernel;
}

function hops(length: number, capacity: number, tokens: number): Row {
  const seconds = cpuSeconds(() => {
    const kernel = chain(length, capacity, tokens);
    return () => kernel.run();
  });
  return {
    name: `${length} stages, capacity ${capacity}`,
    figure: ((length - 1) * tokens) / seconds / 1e6,
    unit: 'M hops/s',
    ...(capacity >= 2 ? { target: { atLeast: 20 } } : {}),
    // The same law as a loop over all stages, on a similar machine; the Dataflow Abstract Machine publishes no rate.
    peer: capacity === 1 ? '19 static sweep' : '47 to 60 static sweep',
  };
}

export const section: Section = {
  title: 'kernel: tokens through a chain',
  rows: () => [
    hops(64, 1, 50_000),
    hops(64, 2, 100_000),
    hops(64, 8, 200_000),
    hops(64, 64, 200_000),
    hops(1024, 2, 10_000),
    hops(1024, 8, 10_000),
  ],
};
