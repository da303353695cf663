import type { EinsumResult, EngineResult, Result } from '../models/result.ts';
import { accounts } from './accounts.ts';
import { blocksOf } from './blocks.ts';

/** An event of Chrome's trace format, which Perfetto reads; times in microseconds. */
interface TraceEvent {
  ph: 'M' | 'X' | 'C';
  name: string;
  pid: number;
  tid: number;
  ts?: number;
  dur?: number;
  args: { [key: string]: string | number };
}

const microseconds = (seconds: number) => seconds * 1e6;

/** Einsums that overlap each other cannot share a track: each then gets one of its own. */
function tracks(einsums: readonly EinsumResult[]): EinsumResult[][] {
  const ordered = einsums.toSorted((a, b) => a.start - b.start);
  const overlapping = ordered.some((einsum, index) => index > 0 && einsum.start < ordered[index - 1]!.end);
  if (!overlapping) return [ordered];
  return [...new Set(ordered.map((einsum) => einsum.name))].map((name) =>
    ordered.filter((einsum) => einsum.name === name),
  );
}

/** Processes of a trace in the order in which they are first named, and how many tracks each has. */
class Processes {
  readonly #pids = new Map<string, number>();
  readonly #tracks = new Map<number, number>();
  readonly events: TraceEvent[] = [];

  pid(name: string): number {
    const known = this.#pids.get(name);
    if (known !== undefined) return known;
    const pid = this.#pids.size + 1;
    this.#pids.set(name, pid);
    this.events.push(
      { ph: 'M', name: 'process_name', pid, tid: 0, args: { name } },
      { ph: 'M', name: 'process_sort_index', pid, tid: 0, args: { sort_index: pid } },
    );
    return pid;
  }

  /** A track of a process that nothing is on yet. */
  track(pid: number): number {
    const tid = (this.#tracks.get(pid) ?? 0) + 1;
    this.#tracks.set(pid, tid);
    return tid;
  }
}

/** The slices of an engine's einsums, on tracks of their own. */
function slices(pid: number, processes: Processes, engine: string, einsums: readonly EinsumResult[]): TraceEvent[] {
  return tracks(einsums).flatMap((row, _, rows) => {
    const tid = processes.track(pid);
    const name = rows.length > 1 ? `${engine}: ${row[0]!.name}` : engine;
    return [
      { ph: 'M' as const, name: 'thread_name', pid, tid, args: { name } },
      ...row.map(
        (einsum): TraceEvent => ({
          ph: 'X',
          name: einsum.name,
          pid,
          tid,
          ts: microseconds(einsum.start),
          dur: microseconds(einsum.end - einsum.start),
          args: { equation: einsum.text, busyCycles: einsum.busy, operations: einsum.operations },
        }),
      ),
    ];
  });
}

/** A counter's values where they change, and zeros where the run ends. */
function counter(
  pid: number,
  name: string,
  bin: number,
  end: number,
  values: { [key: string]: readonly number[] },
): TraceEvent[] {
  const keys = Object.keys(values);
  const bins = Math.max(0, ...keys.map((key) => values[key]!.length));
  const at = (index: number) => Object.fromEntries(keys.map((key) => [key, values[key]![index] ?? 0]));
  const changes = [...Array(bins).keys()].filter(
    (index) => index === 0 || keys.some((key) => values[key]![index] !== values[key]![index - 1]),
  );
  return [
    ...changes.map(
      (index): TraceEvent => ({ ph: 'C', name, pid, tid: 0, ts: microseconds(index * bin), args: at(index) }),
    ),
    { ph: 'C', name, pid, tid: 0, ts: microseconds(end), args: at(bins) },
  ];
}

/** `core[0]` and `array` of `core[0].array`; undefined of a part that no core owns. */
function ownerOf(name: string): { core: string; part: string } | undefined {
  const owned = /^(.*\])\.([^\]]+)$/.exec(name);
  return owned === null ? undefined : { core: owned[1]!, part: owned[2]! };
}

function engineEvents(result: Result, { name }: EngineResult, processes: Processes): TraceEvent[] {
  const owner = ownerOf(name);
  const pid = processes.pid(owner?.core ?? name);
  const einsums = result.einsums.filter((einsum) => einsum.engine === name);
  const part = owner?.part ?? name;
  const timelines = result.timelines.engines.filter(({ engine }) => engine === name);
  return [
    ...slices(pid, processes, part, einsums),
    ...timelines.flatMap((timeline) =>
      counter(
        pid,
        owner === undefined ? 'cycles' : `${part} cycles`,
        timeline.bin,
        result.seconds,
        Object.fromEntries(accounts.map((account) => [account.key, timeline[account.key]])),
      ),
    ),
  ];
}

function bandwidthEvents(result: Result, processes: Processes): TraceEvent[] {
  return result.timelines.bandwidth.flatMap(({ name, unit, bin, values }) => {
    const owner = ownerOf(name);
    const pid = processes.pid(owner?.core ?? 'memory bandwidth');
    return counter(pid, owner === undefined ? name : `${owner.part} bandwidth`, bin, result.seconds, {
      [unit]: values,
    });
  });
}

/**
 * The run for ui.perfetto.dev or chrome://tracing: sections, the spans of einsums by engine, and counters of what each
 * engine did and each memory moved. Each core is a process with its engines and memories, as is each engine that no core
 * owns. A Result has spans and bins rather than single operations, and so has the trace.
 */
export function perfettoTrace(result: Result): string {
  const processes = new Processes();
  const sections = processes.pid('sections');
  const events = [
    ...blocksOf(result).map(
      ({ name, start, end, repeat }): TraceEvent => ({
        ph: 'X',
        name,
        pid: sections,
        tid: 1,
        ts: microseconds(start),
        dur: microseconds(end - start),
        args: { repeat },
      }),
    ),
    ...result.engines.flatMap((engine) => engineEvents(result, engine, processes)),
    ...bandwidthEvents(result, processes),
  ];
  return `${JSON.stringify({ displayTimeUnit: 'ns', traceEvents: [...processes.events, ...events] })}\n`;
}
