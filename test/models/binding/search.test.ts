import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bitsOf } from '../../../arch/language/units.ts';
import { defaultAssignment, defaultEngine } from '../../../models/binding/assign.ts';
import { BindError } from '../../../models/binding/dependencies.ts';
import { Nest } from '../../../models/binding/nest.ts';
import { elementBytes } from '../../../models/binding/plan.ts';
import { type Context, completeAndBuild, type Sketch, search } from '../../../models/binding/search.ts';
import type { BuiltSection } from '../../../models/binding/section.ts';
import { Topology } from '../../../models/binding/topology.ts';
import { extentsOf } from '../../../workloads/language/shapes.ts';
import { einsumsOf, type LoadedWorkload } from '../../../workloads/language/workload.ts';
import { aGemm, aMachine, aWorkload, type MachineParts } from '../machines.ts';

/** All einsums of a workload in one section, about which nothing else is said. */
function problem(parts: MachineParts, { workload }: LoadedWorkload): { sketch: Sketch; context: Context } {
  const topology = new Topology(aMachine(parts));
  const einsums = einsumsOf(workload);
  const outputs = workload.tensors.valueSeq().filter((tensor) => tensor.role === 'output');
  const sketch: Sketch = {
    einsums,
    assignments: einsums.map((einsum) => defaultAssignment(einsum, defaultEngine(einsum, topology))),
    stored: new Set(outputs.map((tensor) => tensor.name)),
    keep: null,
    hold: null,
    stream: new Map(),
    interleave: null,
    isGiven: false,
  };
  const extents = new Map(einsums.flatMap((einsum) => [...extentsOf(workload, einsum)]));
  return { sketch, context: { topology, bytesOf: elementBytes(workload, bitsOf), extents, wholeFolds: false } };
}

/** The plan without loops: every tensor in one tile; null when it does not fit. */
function plainPlan({ sketch, context }: ReturnType<typeof problem>): BuiltSection | null {
  try {
    return completeAndBuild(sketch, context, new Nest(context.extents, new Map(), []), new Set());
  } catch (error) {
    if (error instanceof BindError) return null;
    throw error;
  }
}

const softmax = (M: number, N: number) =>
  aWorkload('G[m] = max(n) X[m,n]\nS[m,n] = exp(X[m,n] - G[m])\nD[m] = S[m,n]\nZ[m,n] = S[m,n] / D[m]', {
    ranks: `M: ${M}, N: ${N}`,
    inputs: 'X[m,n]',
  });

describe('the search', () => {
  const size = fc.integer({ min: 1, max: 60 });
  const machines = fc.record({
    capacity: fc.constantFrom(400, 2000, 20_000),
    bandwidth: fc.constantFrom(1, 4, 32),
    dataflow: fc.constantFrom('output-stationary', 'weight-stationary', 'input-stationary'),
  });
  const workloads = fc.oneof(
    fc.tuple(size, size, size).map((s) => aGemm(...s)),
    fc.tuple(size, size).map((s) => softmax(...s)),
  );

  it('finds a plan that fits, and none that it thinks slower than one without loops', () => {
    let compared = 0;
    fc.assert(
      fc.property(machines, workloads, ({ capacity, bandwidth, dataflow }, workload) => {
        const posed = problem(
          {
            hbm: `bandwidth: ${bandwidth} GB/s, latency: 20 ns`,
            buffer: `capacity: ${capacity} B, width: 64 B, latency: 2 cycles`,
            array: `rows: 4, columns: 4, dataflow: ${dataflow}, operations: { mac: 1 }`,
          },
          workload,
        );
        const { section, estimate } = search(posed.sketch, posed.context).built;
        const used = section.buffers.reduce((bytes, buffer) => bytes + buffer.bytes, 0);
        expect(used).toBeLessThanOrEqual(capacity);
        for (const { extent, tile } of section.tiles.values()) expect(tile).toBeLessThanOrEqual(extent);
        const plain = plainPlan(posed);
        if (plain === null) return;
        compared++;
        const { seconds, fillSeconds, trafficSeconds, roundSeconds } = plain.estimate;
        // Ties to a thousandth are decided by traffic and rounds.
        const most = seconds + fillSeconds + 1e-3 * (trafficSeconds + roundSeconds);
        expect(estimate.seconds + estimate.fillSeconds).toBeLessThanOrEqual(most * (1 + 1e-9));
      }),
      { numRuns: 60 },
    );
    expect(compared).toBeGreaterThan(10);
  });

  it('cuts what does not fit into tiles', () => {
    const posed = problem({ buffer: 'capacity: 300 B, width: 64 B, latency: 0 cycles' }, aGemm(32, 32, 32));
    expect(plainPlan(posed)).toBeNull();
    const { section } = search(posed.sketch, posed.context).built;
    expect(section.loops.size).toBeGreaterThan(0);
  });

  it('keeps whole what a second pass goes over', () => {
    const posed = problem({}, softmax(64, 40));
    const { section } = search(posed.sketch, posed.context).built;
    expect(section.tiles.get('n')).toMatchObject({ extent: 40, tile: 40 });
  });

  it('says what does not fit when nothing does', () => {
    const posed = problem({ buffer: 'capacity: 30 B, width: 64 B, latency: 0 cycles' }, softmax(64, 40));
    expect(() => search(posed.sketch, posed.context)).toThrow(BindError);
  });
});
