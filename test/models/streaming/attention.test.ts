import { describe, expect, it } from 'vitest';
import { DeadlockError } from '../../../models/kernel/kernel.ts';
import { type AttentionKind, attentionGraph } from '../../../models/streaming/attention.ts';
import { runStream } from '../../../models/streaming/graph.ts';
import { type Compute, tickStream } from '../../reference/stream-ticker.ts';

const run = (kind: AttentionKind, n: number, depth: number, everyRow = false) =>
  runStream(attentionGraph(kind, n, { depth }), everyRow);

/** elapsed_cycles of gina7484/stream-attn-dam commit 9f1cb9d: seq_agnostic_N.txt (and unbound_), N_result.txt. */
const recorded = {
  online: [
    [512, 524334],
    [2048, 8388654],
    [8192, 134217774],
    [32768, 2147483694],
  ],
  standard: [
    [512, 525364],
    [1024, 2099252],
    [2048, 8392756],
    [8192, 134234164],
  ],
} as const;

describe("the Dataflow Abstract Machine's attention", () => {
  it.each(recorded.online)('takes its cycles online, of %i tokens: %i', (n, cycles) => {
    expect(run('online', n, 22).cycles).toBe(cycles);
    expect(run('online', n, Number.POSITIVE_INFINITY).cycles).toBe(cycles);
  });

  it.each(recorded.standard)('takes its cycles with a row kept, of %i tokens: %i', (n, cycles) => {
    // N + 24 entries, and the ten stages of the scores' pipeline that a FIFO holds nothing of.
    expect(run('standard', n, n + 34).cycles).toBe(cycles);
    expect(run('standard', n, n + 22).cycles).toBe(cycles);
    expect(run('standard', n, Number.POSITIVE_INFINITY).cycles).toBe(cycles);
  });

  it('streams at full rate from 16 entries beyond a row, slower down to a row, and deadlocks below', () => {
    const full = run('standard', 512, 512 + 16).cycles;
    expect(full).toBe(525364);
    const depths = [15, 10, 1, 0].map((spare) => run('standard', 512, 512 + spare).cycles);
    expect(depths).toEqual([526386, 531496, 540694, 541716]);
    expect(() => run('standard', 512, 511)).toThrow(DeadlockError);
  });

  it('says who waits for whom when it deadlocks', () => {
    const waits = waitsOf(() => run('standard', 64, 63));
    expect(waits).toContain('scores waits for slot of kept-row from division');
    expect(waits).toContain('division waits for token of sum from row-sum');
    expect(waits).toContain('row-sum waits for token of exponentials from scores');
  });

  it('is slower online where FIFOs are shallower than their pipelines', () => {
    expect(run('online', 64, 22).cycles).toBe(2 * 64 ** 2 + 46);
    expect(run('online', 64, 1).cycles).toBeGreaterThan(2 * 64 ** 2 + 46);
  });

  it.each([
    ['online', 22],
    ['online', 1],
    ['online', Number.POSITIVE_INFINITY],
    ['standard', 33],
    ['standard', 24],
    ['standard', Number.POSITIVE_INFINITY],
  ] as const)('%s of depth %d is the same ticked, with rows skipped and without', (kind, depth) => {
    const graph = attentionGraph(kind, 24, { depth });
    const { cycles } = tickStream(graph);
    expect(runStream(graph, true).cycles).toBe(cycles);
    const { cycles: skipping, skippedRows } = runStream(graph);
    expect(skipping).toBe(cycles);
    expect(skippedRows).toBeGreaterThan(10);
  });

  it.each(['standard', 'online'] as const)('%s computes attention', (kind) => {
    const n = 12;
    const { taken } = tickStream(attentionGraph(kind, n, { depth: n + 22 }), (name) => computeOf(name, n));
    const outputs = (taken.get('outputs') ?? []).map((inputs) => inputs.get('output'));
    expect(outputs.length).toBe(n);
    outputs.forEach((output, row) => {
      const weights = Array.from({ length: n }, (_, j) => Math.exp(query(row) * key(j)));
      const sum = weights.reduce((a, b) => a + b);
      expect(output).toBeCloseTo(weights.reduce((total, weight, j) => total + weight * value(j), 0) / sum, 10);
    });
  });
});

function waitsOf(action: () => void): string[] {
  try {
    action();
  } catch (error) {
    if (!(error instanceof DeadlockError)) throw error;
    return error.waits.map((wait) => `${wait.process} waits for ${wait.for} of ${wait.channel} from ${wait.on}`);
  }
  return [];
}

const query = (i: number) => Math.sin(i + 1);
const key = (j: number) => Math.cos(3 * j);
const value = (j: number) => j - 4;

/** What operators of both graphs compute; the maximum is left out of the online one, as it only rescales. */
function computeOf(name: string, n: number): Compute {
  let sum = 0;
  const accumulate = (element: number, term: number) => {
    sum = element === 0 ? term : sum + term;
    return sum;
  };
  const get = (inputs: ReadonlyMap<string, number>, channel: string) => inputs.get(channel) ?? Number.NaN;
  switch (name) {
    case 'queries':
      return (_, row) => query(row);
    case 'keys':
      return (_, __, element) => key(element);
    case 'values':
      return (_, __, element) => value(element % n);
    case 'scores':
      return (inputs) => Math.exp(get(inputs, 'Q') * get(inputs, 'K'));
    case 'row-sum':
      return (inputs, _, element) => accumulate(element, get(inputs, 'exponentials'));
    case 'running-max':
      return (inputs) => get(inputs, 'S');
    case 'running-sum':
      return (inputs, _, element) => accumulate(element, get(inputs, 'sum-term'));
    case 'running-product':
      return (inputs, _, element) => accumulate(element, get(inputs, 'product-term') * get(inputs, 'V'));
    case 'product':
      return (inputs, _, element) => accumulate(element, get(inputs, 'weights') * get(inputs, 'V'));
    case 'division':
      return (inputs) => (get(inputs, 'kept-row') || get(inputs, 'product')) / get(inputs, 'sum');
    default:
      return () => 0;
  }
}
