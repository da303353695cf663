import type { Result, SectionResult } from '../../models/result.ts';
import { gemmThenRelu, transformer } from './sample.ts';

/**
 * The product and its rectification on a machine of so many cores, each with an array, a vector unit and a buffer. Core i
 * is idle for 1000 i cycles in which the array of core 0 is busy.
 */
export function onCores(cores: number): Result {
  const result = gemmThenRelu();
  const each = [...Array(cores).keys()];
  const owned = (name: string, core: number) => `core[${core}].${name}`;
  const engines = each.flatMap((core) =>
    result.engines
      .filter(({ kind }) => kind !== 'dma')
      .map((engine) => {
        const busy = engine.busy - 1000 * core;
        return {
          ...engine,
          name: owned(engine.name, core),
          busy,
          idle: engine.idle + 1000 * core,
          utilization: busy / engine.cycles,
          waits: engine.waits.map((wait) => ({ ...wait, part: wait.part === 'hbm' ? 'hbm' : owned(wait.part, core) })),
        };
      }),
  );
  const { memories, timelines } = result;
  const [hbm, buffer] = [memories[0]!, memories[1]!];
  const sections = result.mapping.sections.map(
    (section, index): SectionResult => ({
      ...section,
      buffers: each.flatMap((core) => section.buffers.map((held) => ({ ...held, memory: owned(held.memory, core) }))),
      ...(index === 0 ? { folds } : {}),
    }),
  );
  return {
    ...result,
    mapping: { ...result.mapping, sections },
    engines: [...engines, ...result.engines.filter(({ kind }) => kind === 'dma')],
    memories: [
      hbm,
      ...each.map((core) => ({ ...buffer, name: owned('buffer', core), peakBytes: buffer.peakBytes + core * 2 ** 16 })),
    ],
    einsums: each.flatMap((core) =>
      result.einsums.map((einsum) => ({ ...einsum, engine: owned(einsum.engine, core) })),
    ),
    timelines: {
      engines: [
        ...each.flatMap((core) =>
          timelines.engines.slice(0, 2).map((timeline) => ({ ...timeline, engine: owned(timeline.engine, core) })),
        ),
        ...timelines.engines.slice(2),
      ],
      bandwidth: [
        ...timelines.bandwidth,
        ...each.map((core) => ({ ...timelines.bandwidth[0]!, name: owned('buffer', core) })),
      ],
    },
    bottleneck: { ...result.bottleneck, part: owned('array', 0) },
  };
}

const folds = {
  m: 12544,
  n: 64,
  k: 147,
  batch: 2,
  count: 4,
  cyclesPerFold: 12544,
  streamPerFold: 12544,
  mappingEfficiency: 0.287109375,
};

/** Two sections, of which an array ran the first in folds. */
export function foldsSample(): Result {
  const result = gemmThenRelu();
  const [first, second] = [result.mapping.sections[0]!, result.mapping.sections[1]!];
  return { ...result, mapping: { ...result.mapping, sections: [{ ...first, folds }, second] } };
}

/** Five sections, of which the second to the fourth are done three times over in turn. */
export function takingTurns(): Result {
  const result = transformer(5);
  const { sections } = result.mapping;
  const [from, to] = [sections[1]!.start, sections[3]!.end];
  const turn = (to - from) / 20;
  return {
    ...result,
    mapping: {
      ...result.mapping,
      sections: sections.map((section, index) =>
        index === 0 || index === 4
          ? section
          : { ...section, repeat: 3, start: from + (index - 1) * turn, end: to - (3 - index) * turn },
      ),
    },
  };
}
