import type { EngineResult, Result, ServingResult } from '../../models/result.ts';
import { blocksOf } from '../blocks.ts';
import { type RooflineData, type RooflinePoint, rooflineChart } from '../charts/roofline.ts';
import { alike, kindOf } from '../cores.ts';
import { fraction, opsPerSecond, percent, ratio } from '../format.ts';
import { type Markup, markup } from '../markup.ts';
import { atWork } from '../sides.ts';
import { bytesByEinsum, mainMemory } from '../traffic.ts';
import { caption, section, sum, term } from './figure.ts';

/** Points drawn for sections or einsums, those that take longest. */
const drawn = 40;

const compute = (result: Result) => result.engines.filter((engine) => engine.kind !== 'dma' && engine.peakOps > 0);

/** `core.array` of the arrays of several cores, else `array`. */
function commonName(engines: readonly EngineResult[]): string {
  const names = new Set(engines.map((engine) => kindOf(engine.name)));
  return names.size === 1 ? [...names][0]! : engines[0]!.kind;
}

/** Engines of one kind and one peak share a roof: four arrays together have four times the peak of one. */
function kinds(engines: readonly EngineResult[]): { name: string; peak: number; ops: number }[] {
  const alike = (a: EngineResult, b: EngineResult) => a.kind === b.kind && a.peakOps === b.peakOps;
  const firsts = engines.filter((engine, index) => engines.findIndex((other) => alike(engine, other)) === index);
  return firsts.map((first) => {
    const group = engines.filter((engine) => alike(engine, first));
    const name = group.length > 1 ? `${group.length} × ${commonName(group)}` : first.name;
    return { name, peak: group.length * first.peakOps, ops: sum(group, (engine) => engine.ops) };
  });
}

interface Work {
  name: string;
  ops: number;
  bytes: number;
  seconds: number;
}

/** Operators on engines, with the bytes of their operands and results, whatever of them stayed on the chip. */
function servedWork({ einsums, engines }: Result, { operators }: ServingResult): Work[] {
  return operators.flatMap((operator) => {
    const engine = engines.find(({ kind }) => kind === operator.on);
    const einsum = einsums.find(({ name, engine: on }) => name === operator.name && on === engine?.name);
    if (einsum === undefined) return [];
    return [{ name: operator.name, ops: einsum.operations, bytes: operator.bytes, seconds: atWork(operator) }];
  });
}

/** Work by block of sections, or by einsum where all of them are fused into one section; all cores together. */
function work(result: Result, einsumBytes: readonly number[]): Work[] {
  if (result.serving !== undefined) return servedWork(result, result.serving);
  if (result.mapping.sections.length <= 1)
    return alike(
      [...result.einsums.entries()],
      ([, einsum]) => einsum.engine,
      ([, einsum]) => [einsum.name],
    ).map(({ members }) => ({
      name: members[0]![1].name,
      ops: sum(members, ([, einsum]) => einsum.operations),
      bytes: sum(members, ([index]) => einsumBytes[index]!),
      seconds:
        Math.max(...members.map(([, einsum]) => einsum.end)) - Math.min(...members.map(([, einsum]) => einsum.start)),
    }));
  return blocksOf(result).map(({ name, start, end, sections }) => {
    const indices = new Set(sections.map(({ index }) => index));
    const own = [...result.einsums.entries()].filter(([, einsum]) => indices.has(einsum.section));
    return {
      name,
      ops: sum(own, ([, einsum]) => einsum.operations),
      bytes: sum(own, ([index]) => einsumBytes[index]!),
      seconds: end - start,
    };
  });
}

/** Undefined when nothing moves to or from a main memory, or nothing computes. */
export function rooflineData(result: Result): RooflineData | undefined {
  const memory = mainMemory(result);
  const engines = compute(result);
  if (memory === undefined || !(memory.peakBandwidth > 0) || !(result.seconds > 0)) return undefined;
  const bytes = memory.bytesRead + memory.bytesWritten;
  const ops = sum(engines, (engine) => engine.ops);
  if (!(bytes > 0) || !(ops > 0)) return undefined;

  const point = (kind: RooflinePoint['kind'], { name, ops, bytes, seconds }: Work): RooflinePoint => ({
    kind,
    name,
    intensity: fraction(ops, bytes),
    rate: fraction(ops, seconds),
  });
  const parts = work(result, bytesByEinsum(result.einsums, memory))
    .filter((part) => part.bytes > 0 && part.ops > 0 && part.seconds > 0)
    .toSorted((a, b) => b.seconds - a.seconds)
    .slice(0, drawn);
  const ofSections = result.mapping.sections.length > 1 ? 'section' : 'einsum';
  const kind = result.serving === undefined ? ofSections : 'operator';
  const levels = kinds(engines);
  // The point of an engine that does nearly all of the work is the point of the whole run.
  const differs = (level: { ops: number }) => level.ops < 0.9 * ops;
  return {
    memory: { name: memory.name, peak: memory.peakBandwidth },
    roofs: levels.map(({ name, peak }) => ({ name, peak })),
    points: [
      point('run', { name: 'whole run', ops, bytes, seconds: result.seconds }),
      ...(levels.length > 1
        ? levels.filter(differs).map((level) => point('engine', { ...level, bytes, seconds: result.seconds }))
        : []),
      ...parts.map((part) => point(kind, part)),
    ],
  };
}

export function roofline(result: Result): Markup | undefined {
  const data = rooflineData(result);
  if (data === undefined) return undefined;
  const run = data.points[0]!;
  const attainable = Math.min(run.intensity * data.memory.peak, Math.max(...data.roofs.map((roof) => roof.peak)));
  return section(
    'roofline',
    rooflineChart(data),
    caption(
      markup`The whole run does ${ratio(run.intensity)} op/B (${term('intensity')}) and attains ${opsPerSecond(run.rate)}, ${percent(run.rate / attainable)} of the ${opsPerSecond(attainable)} that the roofs allow at that intensity.${result.serving === undefined ? '' : ' Operators are charged with their operands and results, each once for a run.'}`,
    ),
  );
}
