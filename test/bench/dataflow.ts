import { runPipeline } from '../../models/dataflow/pipeline.ts';
import type { PipelineSpec } from '../../models/dataflow/pipeline-spec.ts';
import { cpuSeconds, type Section } from './harness.ts';

/** A chain of stages with room for `capacity` tiles between two of them. */
function chain(count: number, tiles: number, capacity: number): PipelineSpec {
  const stages = Array.from({ length: count }, (_, i) => {
    return { name: `stage ${i}`, firings: tiles, interval: 1 + (i % 3), server: -1, bytes: 0, request: 0, latency: 0 };
  });
  const channels = stages.slice(1).map(({ name }, i) => {
    return { name, from: i, to: i + 1, tokens: tiles, use: 'each' as const, capacity, send: 1, reply: 1 };
  });
  return { stages, channels, servers: [] };
}

export const section: Section = {
  title: 'placed pipelines',
  rows: () =>
    [2, 8, 64].map((capacity) => {
      const spec = chain(64, 50_000, capacity);
      const seconds = cpuSeconds(() => () => void runPipeline(spec), 3);
      const figure = (63 * 50_000) / seconds / 1e6;
      return { name: `64 stages, room for ${capacity} tiles`, figure, unit: 'M token hops/s', target: { atLeast: 30 } };
    }),
};
