import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Dependency, type Schedule, type ScheduledOp, schedule } from '../../../models/binding/schedule.ts';

interface Case {
  readonly ops: readonly ScheduledOp[];
  readonly dependencies: readonly Dependency[];
  readonly rounds: number;
}

/** Operations of up to three engines, whose dependencies of distance 0 point forward. */
const cases: fc.Arbitrary<Case> = fc.gen().map((generate) => {
  const draw = (min: number, max: number) => generate(fc.integer, { min, max });
  const ops = Array.from({ length: draw(1, 9) }, (): ScheduledOp => {
    const cycles = draw(1, 20);
    // Some run in one of several rounds only.
    return { engine: `e${draw(0, 2)}`, cycles, load: cycles / draw(1, 4), latency: Math.max(0, draw(-10, 15)) };
  });
  const dependencies = Array.from({ length: draw(0, 12) }, (): Dependency => {
    const [a, b] = [draw(0, ops.length - 1), draw(0, ops.length - 1)].sort((x, y) => x - y) as [number, number];
    const latency = Math.max(0, draw(-4, 6));
    if (a === b || draw(0, 3) === 0) return { from: b, to: a, latency, distance: draw(1, 4) };
    return { from: a, to: b, latency, distance: 0 };
  });
  return { ops, dependencies, rounds: draw(1, 8) };
});

describe('a schedule', () => {
  const check = (property: (given: Case, found: Schedule) => void) =>
    fc.assert(
      fc.property(cases, (given) => property(given, schedule(given.ops, given.dependencies, given.rounds))),
      { numRuns: 500 },
    );

  it('has no more rounds in flight than it may', () => {
    check(({ rounds }, { stages, depth }) => {
      expect(depth).toBe(Math.max(...stages) + 1);
      expect(depth).toBeLessThanOrEqual(rounds);
      expect(Math.min(...stages)).toBeGreaterThanOrEqual(0);
    });
  });

  it('never asks for a result that an earlier round has not begun to make', () => {
    check(({ dependencies }, { stages }) => {
      for (const { from, to, distance } of dependencies)
        expect(stages[to]! + distance).toBeGreaterThanOrEqual(stages[from]!);
    });
  });

  it('orders the operations of every engine so that no round waits for itself', () => {
    check(({ ops, dependencies }, { stages, places }) => {
      const after = ops.map((): number[] => []);
      for (const engine of new Set(ops.map((op) => op.engine))) {
        const mine = ops.map((_, i) => i).filter((i) => ops[i]!.engine === engine);
        mine.sort((a, b) => places[a]! - places[b]!);
        expect(new Set(mine.map((i) => places[i])).size).toBe(mine.length);
        for (const [i, op] of mine.slice(1).entries()) after[mine[i]!]!.push(op);
      }
      for (const { from, to, distance } of dependencies) {
        if (stages[to]! + distance === stages[from]!) after[from]!.push(to);
      }
      expect(hasCycle(after)).toBe(false);
    });
  });

  it('gives every engine the cycles of its operations', () => {
    check(({ ops }, { interval }) => {
      for (const engine of new Set(ops.map((op) => op.engine))) {
        const load = ops.reduce((sum, op) => (op.engine === engine ? sum + op.load : sum), 0);
        expect(interval).toBeGreaterThanOrEqual(load);
      }
    });
  });

  it('keeps all operations of a round together when one round is in flight', () => {
    check(({ ops, dependencies }) => {
      expect(schedule(ops, dependencies, 1)).toMatchObject({ stages: ops.map(() => 0), depth: 1 });
    });
  });

  it('takes one round after another as long as a chain of operations takes when they cannot overlap', () => {
    const chain = [
      { engine: 'a', cycles: 10, load: 10, latency: 3 },
      { engine: 'b', cycles: 5, load: 5, latency: 0 },
    ];
    const needs = [{ from: 0, to: 1, latency: 2, distance: 0 }];
    expect(schedule(chain, needs, 1)).toMatchObject({ depth: 1, interval: 10 + 3 + 2 + 5 });
    expect(schedule(chain, needs, 2)).toMatchObject({ stages: [0, 1], depth: 2, interval: 10 });
  });

  it('is no faster than a recurrence allows', () => {
    const ops = [{ engine: 'a', cycles: 4, load: 4, latency: 6 }];
    const carried = (distance: number) => [{ from: 0, to: 0, latency: 2, distance }];
    const { interval } = schedule(ops, carried(1), 8);
    expect(interval).toBeGreaterThanOrEqual(12);
    expect(interval).toBeLessThan(12 * 1.02);
    expect(schedule(ops, carried(3), 8).interval).toBeCloseTo(4, 9);
  });

  it('lets another operation go before one that would wait for the result of its forerunner', () => {
    const op = { engine: 'a', cycles: 5, load: 5, latency: 0 };
    const needs = [{ from: 0, to: 1, latency: 0, distance: 0 }];
    // A lone operation after them, so that there is slack in the round.
    const slow = { engine: 'b', cycles: 30, load: 30, latency: 0 };
    const found = schedule([{ ...op, latency: 5 }, op, op, slow], needs, 4);
    expect(found).toMatchObject({ stages: [0, 0, 0, 0], places: [0, 2, 1, 0], interval: 30 });
  });
});

function hasCycle(after: readonly (readonly number[])[]): boolean {
  const state = after.map(() => 'new');
  const visit = (node: number): boolean => {
    if (state[node] !== 'new') return state[node] === 'open';
    state[node] = 'open';
    if (after[node]!.some(visit)) return true;
    state[node] = 'done';
    return false;
  };
  return after.some((_, node) => visit(node));
}
