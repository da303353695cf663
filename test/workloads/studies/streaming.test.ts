import { describe, expect, it } from 'vitest';
import type { AnyRow, Point } from '../../../models/study/definition.ts';
import type { Study } from '../../../models/study/study.ts';
import dam from '../../../workloads/studies/dam-attention.ts';
import step from '../../../workloads/studies/step.ts';
import stepTiles from '../../../workloads/studies/step-tiles.ts';
import t3 from '../../../workloads/studies/t3.ts';

/** Rows of a study's points that are as wanted. */
function rowsOf(study: Study, wanted: Point): AnyRow[] {
  const points = study
    .points()
    .filter((point) => Object.entries(wanted).every(([name, value]) => point[name] === value));
  return points.map((point) => {
    const [outcome] = study.run([point]);
    if (outcome === undefined || 'error' in outcome) throw new Error(outcome?.error ?? 'no outcome');
    return { ...point, ...outcome.metrics };
  });
}

/** Claims that hold, of those that rows are enough for. */
function held(study: Study, rows: readonly AnyRow[]): { readonly [text: string]: boolean } {
  return Object.fromEntries(
    study.claims.flatMap(({ text, target, within = 0.05, measured }) => {
      const figure = measured(rows);
      return figure === null ? [] : [[text, Math.abs(figure - target) <= within * target]];
    }),
  );
}

describe('studies of streaming', () => {
  it('have the cycles of the Dataflow Abstract Machine, and another depth below which attention deadlocks', () => {
    const claims = held(dam, rowsOf(dam, { tokens: 512 }));
    const {
      'Entries beyond a row below which the standard order deadlocks, 512 tokens, of those tried': depth,
      ...others
    } = claims;
    expect(depth).toBe(false);
    expect(Object.keys(others).length).toBe(4);
    expect(Object.values(others)).not.toContain(false);
  });

  it("have STeP's cycles and bandwidths with few regions", () => {
    const claims = held(step, rowsOf(step, { trace: 'qwen3-30b-a3b-b64', regions: 4 }));
    expect(Object.keys(claims).length).toBe(4);
    expect(Object.values(claims)).not.toContain(false);
  });

  it("have STeP's traffic of tiles", () => {
    const claims = held(stepTiles, rowsOf(stepTiles, { trace: 'qwen3-30b-a3b-b64' }));
    expect(Object.keys(claims).length).toBe(7);
    expect(Object.values(claims)).not.toContain(false);
  });

  it("have T3's traffic and its best cases; on average they gain more than it says", () => {
    const claims = held(t3, rowsOf(t3, {}));
    const missed = Object.keys(claims).filter((text) => !claims[text]);
    expect(missed).toEqual([
      'Ideal overlap makes sub-layers so many percent faster, geometric mean',
      'T3 with MCA makes sub-layers so many percent faster, geometric mean',
      'T3 makes sub-layers so many percent faster, geometric mean',
      'Bytes of DRAM over those of the serial order, at least',
      'Reads of products over those of T3',
    ]);
    expect(Object.keys(claims).length).toBe(13);
  });
});
