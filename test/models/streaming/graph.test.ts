import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DeadlockError } from '../../../models/kernel/kernel.ts';
import { type ChannelSpec, runStream, type StreamGraph } from '../../../models/streaming/graph.ts';
import type { OperatorSpec } from '../../../models/streaming/operator.ts';
import { tickStream } from '../../reference/stream-ticker.ts';

/** Cycles, or null in a deadlock. */
function cyclesOf(graph: StreamGraph, everyRow: boolean): number | null {
  try {
    return runStream(graph, everyRow).cycles;
  } catch (error) {
    if (error instanceof DeadlockError) return null;
    throw error;
  }
}

const small = fc.integer({ min: 1, max: 5 });
const depths = fc.oneof(fc.integer({ min: 1, max: 12 }), fc.constant(Number.POSITIVE_INFINITY));

/** Graphs without cycles: each operator but the first few reads one or two of those before it. */
const graphs = fc
  .record({
    rows: fc.integer({ min: 1, max: 24 }),
    elements: fc.integer({ min: 1, max: 6 }),
    timings: fc.array(fc.record({ interval: small, latency: fc.integer({ min: 1, max: 9 }), isRow: fc.boolean() }), {
      minLength: 3,
      maxLength: 7,
    }),
    picks: fc.infiniteStream(fc.nat(1000)),
    depths: fc.infiniteStream(depths),
  })
  .map(({ rows, elements, timings, picks, depths: drawn }): StreamGraph => {
    const operators = timings.map(({ interval, latency, isRow }, i): OperatorSpec => {
      return { name: `o${i}`, elements: isRow ? 1 : elements, interval, latency };
    });
    const channels: ChannelSpec[] = [];
    operators.forEach(({ name, elements: own }, i) => {
      const reads = i === 0 ? 0 : 1 + (next(picks) % 2);
      for (let k = 0; k < reads; k++) {
        const from = operators[next(picks) % i]!;
        const isRow = own === 1 || from.elements === 1 || next(picks) % 4 === 0;
        const pace = isRow ? 'row' : 'element';
        channels.push({
          name: `c${channels.length}`,
          from: from.name,
          to: name,
          depth: next(drawn),
          given: pace,
          taken: pace,
        });
      }
    });
    return { rows, operators, channels };
  });

function next<T>(stream: Iterator<T>): T {
  return (stream.next() as IteratorYieldResult<T>).value;
}

describe('streaming graphs', () => {
  it('take the cycles of one that is ticked, with and without rows skipped, and deadlock where it stands still', () => {
    let skipped = 0;
    let stuck = 0;
    fc.assert(
      fc.property(graphs, (graph) => {
        const { cycles, isStuck } = tickStream(graph);
        const expected = isStuck ? null : cycles;
        expect([cyclesOf(graph, true), cyclesOf(graph, false)]).toEqual([expected, expected]);
        if (isStuck) stuck++;
        else skipped += runStream(graph).skippedRows;
      }),
      { numRuns: 400 },
    );
    expect(skipped).toBeGreaterThan(500);
    expect(stuck).toBeGreaterThan(5);
  });

  it('say which operator has no such number of cycles, and which channel has no end', () => {
    const a = { name: 'a', elements: 2, interval: 1, latency: 1 };
    const b = { name: 'b', elements: 3, interval: 1, latency: 1 };
    const graph = (operators: OperatorSpec[], channel: Partial<ChannelSpec>): StreamGraph => {
      return { rows: 1, operators, channels: [{ name: 'ab', from: 'a', to: 'b', depth: 1, ...channel }] };
    };
    expect(() => runStream(graph([{ ...a, interval: 0 }, b], {}))).toThrow('operator a: interval of 0');
    expect(() => runStream(graph([a, b], {}))).toThrow('channel ab gives and takes different numbers of tokens');
    expect(() => runStream(graph([a, b], { to: 'c' }))).toThrow('channel ab has an end that is none');
    expect(() => runStream(graph([a, a], {}))).toThrow('same name');
  });
});
