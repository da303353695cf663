/** What must add up in every Result. */
import { expect } from 'vitest';
import type { EngineResult, Result } from '../../models/result.ts';
import { extentsOf, operatorsPerPoint } from '../../workloads/language/shapes.ts';
import { einsumsOf, type Workload } from '../../workloads/language/workload.ts';

const kinds = ['busy', 'waitInput', 'waitOutput', 'waitMemory', 'idle'] as const;

const sum = (values: Iterable<number>) => [...values].reduce((total, value) => total + value, 0);

/** Every cycle of every engine is accounted for once, and so is every byte and every operation. */
export function expectToAddUp(result: Result, workload: Workload): void {
  for (const engine of result.engines) expectCyclesToAddUp(engine, result);
  for (const memory of result.memories) {
    const tensors = Object.values(memory.tensors);
    expect(sum(tensors.map((tensor) => tensor.read))).toBe(memory.bytesRead);
    expect(sum(tensors.map((tensor) => tensor.written))).toBe(memory.bytesWritten);
    const series = result.timelines.bandwidth.find(({ name }) => name === memory.name)!;
    const bytes = sum(series.values) * series.bin;
    expect(bytes).toBeCloseTo(memory.bytesRead + memory.bytesWritten, 3);
  }
  expect(Object.fromEntries(result.einsums.map((e) => [e.name, e.operations]))).toEqual(operationsOf(workload));
}

function expectCyclesToAddUp(engine: EngineResult, result: Result): void {
  const { name, cycles, waits, clock } = engine;
  const hertz = result.arch.clocks[clock]!;
  expect(sum(kinds.map((kind) => engine[kind])), name).toBe(cycles);
  for (const kind of kinds) expect(engine[kind], `${name} ${kind}`).toBeGreaterThanOrEqual(0);
  for (const reason of ['input', 'output', 'memory'] as const) {
    const waited =
      engine[`wait${reason[0]!.toUpperCase()}${reason.slice(1)}` as 'waitInput' | 'waitOutput' | 'waitMemory'];
    expect(sum(waits.filter((wait) => wait.reason === reason).map((wait) => wait.cycles)), `${name} ${reason}`).toBe(
      waited,
    );
  }
  if (engine.kind !== 'dma') {
    const mine = result.einsums.filter((einsum) => einsum.engine === name);
    expect(sum(mine.map((einsum) => einsum.busy)), name).toBe(engine.busy);
  }
  const timeline = result.timelines.engines.find((t) => t.engine === name)!;
  const binCycles = timeline.bin * hertz;
  for (const kind of kinds) expect(sum(timeline[kind]) * binCycles, `${name} ${kind}`).toBeCloseTo(engine[kind], 6);
  timeline.busy.forEach((_, bin) => {
    const covered = Math.min(1, cycles / binCycles - bin);
    expect(sum(kinds.map((kind) => timeline[kind][bin]!)), `${name}, bin ${bin}`).toBeCloseTo(covered, 9);
  });
}

/** Operations by einsum, all points of its iteration space together. */
function operationsOf(workload: Workload): Record<string, number> {
  const repeats = new Map(workload.steps.flatMap((step) => step.einsums.map((einsum) => [einsum.name, step.repeat])));
  return Object.fromEntries(
    einsumsOf(workload).map((einsum) => {
      const points = [...extentsOf(workload, einsum).values()].reduce((product, extent) => product * extent, 1);
      return [einsum.name, repeats.get(einsum.name)! * points * sum(operatorsPerPoint(einsum).values())];
    }),
  );
}
