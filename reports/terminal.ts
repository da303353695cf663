import type { EngineResult, MemoryResult, Result } from '../models/result.ts';
import { type Alike, alike, mean, meanEngine, range } from './cores.ts';
import { dataflowLines } from './dataflow.ts';
import { expertLines } from './experts.ts';
import {
  byteScale,
  count,
  exponent,
  fraction,
  inScale,
  joules,
  percent,
  seconds,
  share,
  squareMillimetres,
} from './format.ts';
import { servingLines } from './serving.ts';
import { sampledRounds, skippedRounds } from './skipped.ts';
import { streamLines } from './streams.ts';

const width = 100;
/** Engines, memories of cores, and parts named before the rest is counted. */
const engineLimit = 6;
const partLimit = 4;

type Line = [label: string, text: string];

/** 9.1 of 16 MiB. */
function of(value: number, whole: number, unit: 'B' | 'B/s'): string {
  const scale = byteScale(whole > 0 ? whole : value, unit);
  const written = inScale(value, scale);
  return whole > 0 ? `${written} of ${inScale(whole, scale)} ${scale.unit}` : `${written} ${scale.unit}`;
}

/** `array 95 %, buffer 3 %`, largest first; what rounds to nothing is left out. */
function shares(by: readonly [string, number][], total: number): string {
  return by
    .toSorted((a, b) => b[1] - a[1])
    .filter(([, value]) => fraction(value, total) >= 0.005)
    .slice(0, partLimit)
    .map(([name, value]) => `${name} ${share(fraction(value, total))}`)
    .join(', ');
}

function boundBy({ bottleneck }: Result): string {
  const busy = `${bottleneck.part} (${percent(bottleneck.utilization)} busy)`;
  if (bottleneck.kind === 'dependencies') return `dependencies: ${bottleneck.reason}`;
  const most = shares(
    bottleneck.shares.map(({ name, share }): [string, number] => [name, share]),
    1,
  );
  return most === '' ? busy : `${busy}: ${most}`;
}

/** Waits by the part waited for, then idleness; tenths of a percent and less are noise. */
function losses(engine: EngineResult): string {
  const waited = new Map<string, number>();
  for (const wait of engine.waits) waited.set(wait.part, (waited.get(wait.part) ?? 0) + wait.cycles);
  const named = [...waited]
    .toSorted((a, b) => b[1] - a[1])
    .filter(([, cycles]) => fraction(cycles, engine.cycles) >= 0.001)
    .slice(0, 2)
    .map(([part, cycles]) => `${percent(fraction(cycles, engine.cycles))} for ${part}`);
  const idle = fraction(engine.idle, engine.cycles);
  return [
    ...(named.length > 0 ? [`waits ${named.join(', ')}`] : []),
    ...(idle >= 0.001 ? [`idle ${percent(idle)}`] : []),
  ].join('   ');
}

const label = ({ name, cores }: Alike<unknown>): string => (cores === '' ? name : `${name} (${cores})`);

const inBrackets = (text: string | undefined): string => (text === undefined ? '' : ` (${text})`);

const partsOf = (rows: readonly Alike<unknown>[]): number => rows.reduce((sum, { members }) => sum + members.length, 0);

function engineLine(engines: Alike<EngineResult>): Line {
  const engine = meanEngine(engines);
  const utilizations = engines.members.map(({ utilization }) => utilization);
  const busy = `${percent(engine.utilization)} busy${inBrackets(range(utilizations, percent))}`;
  return [label(engines), `${busy}   ${losses(engine)}`.trimEnd()];
}

function engineLines({ engines, bottleneck }: Result): Line[] {
  const told = (name: string) => bottleneck.kind === 'compute' && bottleneck.part === name;
  const compute = alike(
    engines.filter((engine) => engine.kind !== 'dma'),
    ({ name }) => name,
  )
    .filter(({ name }) => !told(name))
    .toSorted((a, b) => meanEngine(b).utilization - meanEngine(a).utilization);
  const lines = compute.slice(0, engineLimit).map(engineLine);
  const others = partsOf(compute.slice(engineLimit));
  return others > 0 ? [...lines, ['', `and ${others} engines that are less busy`]] : lines;
}

/** `9.1 of 16 MiB`, and of several the range: `9.1 of 16 MiB (8.9 to 9.2)`. */
function used(values: readonly number[], whole: number, unit: 'B' | 'B/s'): string {
  const average = mean(values);
  const scale = byteScale(whole > 0 ? whole : average, unit);
  return `${of(average, whole, unit)}${inBrackets(range(values, (value) => inScale(value, scale)))}`;
}

function memoryLine(row: Alike<MemoryResult>): Line {
  const { members } = row;
  const first = members[0]!;
  if (first.kind === 'scratchpad') {
    const peaks = members.map(({ peakBytes }) => peakBytes);
    return [label(row), used(peaks, first.capacity, 'B')];
  }
  const sum = (figure: (memory: MemoryResult) => number) =>
    members.reduce((total, memory) => total + figure(memory), 0);
  const accesses = sum(({ rowHits, rowMisses, rowConflicts }) => rowHits + rowMisses + rowConflicts);
  const hits = sum(({ rowHits }) => rowHits);
  const rows = accesses > 0 ? `   row hits ${share(hits / accesses)}` : '';
  const latencies = members.map(({ averageReadLatency }) => averageReadLatency);
  const latency = first.dram !== undefined && mean(latencies) > 0 ? `   reads take ${seconds(mean(latencies))}` : '';
  const bandwidths = members.map(({ bandwidth }) => bandwidth);
  return [label(row), `${used(bandwidths, first.peakBandwidth, 'B/s')}${rows}${latency}`];
}

/** Scratchpads before memories, each with most traffic first. What no core owns is never left out: all cores share it. */
function memoryLines({ memories }: Result): Line[] {
  const traffic = (memory: MemoryResult) => memory.bytesRead + memory.bytesWritten;
  const moved = ({ members }: Alike<MemoryResult>) => members.reduce((sum, memory) => sum + traffic(memory), 0);
  const isMemory = ({ members }: Alike<MemoryResult>) => Number(members[0]!.kind === 'memory');
  const ranked = alike(
    memories.filter((memory) => traffic(memory) > 0 || memory.peakBytes > 0),
    ({ name }) => name,
  ).toSorted((a, b) => isMemory(a) - isMemory(b) || moved(b) - moved(a));
  const shown = ranked.filter(({ cores }, index) => cores === '' || index < engineLimit);
  const others = partsOf(ranked) - partsOf(shown);
  const lines = shown.map(memoryLine);
  return others > 0 ? [...lines, ['', `and ${others} memories with less traffic`]] : lines;
}

function physicalLines({ energy, area }: Result): Line[] {
  const energies = Object.entries(energy.by).map(([part, actions]): [string, number] => [
    part,
    Object.values(actions).reduce((total, joule) => total + joule, 0),
  ]);
  const lines: Line[] = [];
  if (energy.total > 0) lines.push(['energy', `${joules(energy.total)}   ${shares(energies, energy.total)}`.trimEnd()]);
  if (area.total > 0)
    lines.push(['area', `${squareMillimetres(area.total)}   ${shares(Object.entries(area.by), area.total)}`.trimEnd()]);
  return lines;
}

const valueLines = ({ values }: Result): Line[] =>
  (values?.outputs ?? []).map(({ tensor, elements, maxAbsError, maxRelError }) => [
    'values',
    `${tensor}: ${count(elements)} elements, largest error ${exponent(maxAbsError)} (relative ${exponent(maxRelError)})`,
  ]);

const skippedLines = (result: Result): Line[] => {
  const skipped = skippedRounds(result);
  const sampled = sampledRounds(result);
  return [
    ...(skipped === null ? [] : [['skipped', skipped] satisfies Line]),
    ...(sampled === null ? [] : [['sampled', sampled] satisfies Line]),
  ];
};

/** Breaks at spaces so that lines end within `room`; a number stays with its percent sign. */
function wrap(text: string, room: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/ (?!%)/)) {
    if (line !== '' && line.length + 1 + word.length > room) {
      lines.push(line.trimEnd());
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

/**
 * About ten lines for a terminal of 100 columns: how long, bound by what, who waited for whom, and what it cost. With
 * `report`, the last line says where the full report is; with `color`, labels are dim and the title bold.
 */
export function summary(result: Result, options: { report?: string; color?: boolean } = {}): string {
  const styled = (code: number, text: string) => (options.color && text !== '' ? `\x1b[${code}m${text}\x1b[0m` : text);
  const lines: Line[] = [
    ...servingLines(result),
    ...expertLines(result),
    ...streamLines(result),
    ...dataflowLines(result),
    ['bound by', boundBy(result)],
    ...engineLines(result),
    ...memoryLines(result),
    ...physicalLines(result),
    ...valueLines(result),
    ...skippedLines(result),
    ...result.notes.map((note): Line => ['note', note]),
    ...(options.report === undefined ? [] : [['report', options.report] satisfies Line]),
  ];
  const indent = Math.max(9, ...lines.map(([label]) => label.length)) + 2;
  const name = `${result.workload.name} on ${result.arch.name}`;
  const length = `${count(result.cycles)} cycles of ${result.clock}   ${seconds(result.seconds)}`;
  const title = styled(1, name) + ' '.repeat(Math.max(3, 50 - name.length)) + length;
  const body = lines.flatMap(([label, text]) =>
    wrap(text, width - indent).map((line, index) => {
      const shown = index === 0 ? label : '';
      return `${styled(2, shown)}${' '.repeat(indent - shown.length)}${line}`.trimEnd();
    }),
  );
  return `${[title, ...body].join('\n')}\n`;
}
