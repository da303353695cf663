import type { EinsumResult, Result } from '../models/result.ts';
import { accounts } from './accounts.ts';

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

function process(pid: number, name: string): TraceEvent {
  return { ph: 'M', name: 'process_name', pid, tid: 0, args: { name } };
}

function slices(pid: number, engine: string, einsums: readonly EinsumResult[]): TraceEvent[] {
  const rows = tracks(einsums);
  return rows.flatMap((row, index) => [
    {
      ph: 'M' as const,
      name: 'thread_name',
      pid,
      tid: index + 1,
      args: { name: rows.length > 1 ? row[0]!.name : engine },
    },
    ...row.map(
      (einsum): TraceEvent => ({
        ph: 'X',
        name: einsum.name,
        pid,
        tid: index + 1,
        ts: microseconds(einsum.start),
        dur: microseconds(einsum.end - einsum.start),
        args: { equation: einsum.text, busyCycles: einsum.busy, operations: einsum.operations },
      }),
    ),
  ]);
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

/**
 * The run for ui.perfetto.dev or chrome://tracing: sections, the spans of einsums by engine, and counters of what each
 * engine did and each memory moved. A Result has spans and bins rather than single operations, and so has the trace.
 */
export function perfettoTrace(result: Result): string {
  const events: TraceEvent[] = [process(1, 'sections')];
  for (const { name, start, end, repeat } of result.mapping.sections)
    events.push({
      ph: 'X',
      name,
      pid: 1,
      tid: 1,
      ts: microseconds(start),
      dur: microseconds(end - start),
      args: { repeat },
    });

  result.engines.forEach(({ name }, index) => {
    const pid = index + 2;
    events.push(process(pid, name));
    events.push(
      ...slices(
        pid,
        name,
        result.einsums.filter((einsum) => einsum.engine === name),
      ),
    );
    for (const timeline of result.timelines.engines.filter(({ engine }) => engine === name))
      events.push(
        ...counter(
          pid,
          'cycles',
          timeline.bin,
          result.seconds,
          Object.fromEntries(accounts.map((account) => [account.key, timeline[account.key]])),
        ),
      );
  });

  const memories = result.engines.length + 2;
  events.push(process(memories, 'memory bandwidth'));
  for (const { name, unit, bin, values } of result.timelines.bandwidth)
    events.push(...counter(memories, name, bin, result.seconds, { [unit]: values }));
  return `${JSON.stringify({ displayTimeUnit: 'ns', traceEvents: events })}\n`;
}
