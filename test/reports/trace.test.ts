import { describe, expect, it } from 'vitest';
import { toJson } from '../../reports/json.ts';
import { perfettoTrace } from '../../reports/trace.ts';
import { onCores, takingTurns } from './cores-sample.ts';
import { attention, bare, empty, hostile, transformer } from './sample.ts';

interface Event {
  ph: string;
  name: string;
  pid: number;
  tid: number;
  ts?: number;
  dur?: number;
  args: { [key: string]: string | number };
}

const events = (trace: string) => (JSON.parse(trace) as { traceEvents: Event[] }).traceEvents;

describe('the Perfetto trace', () => {
  it('has a process per engine and a slice per einsum, in microseconds', () => {
    const result = attention();
    const all = events(perfettoTrace(result));
    const processes = all.filter(({ name }) => name === 'process_name').map(({ args }) => args.name);
    expect(processes).toEqual(['sections', 'array', 'vector', 'hbm to buffer', 'memory bandwidth']);
    const slices = all.filter(({ ph, pid }) => ph === 'X' && pid > 1);
    expect(slices).toHaveLength(12);
    expect(slices[0]).toMatchObject({ name: 'QK', ts: 0, dur: result.seconds * 1e6 });
  });

  it('gives einsums that overlap on an engine a track each', () => {
    const tracks = events(perfettoTrace(attention())).filter(({ ph, pid }) => ph === 'X' && pid === 2);
    expect(new Set(tracks.map(({ tid }) => tid)).size).toBe(tracks.length);
  });

  it('keeps einsums that follow one another on one track', () => {
    const tracks = events(perfettoTrace(transformer())).filter(({ ph, pid }) => ph === 'X' && pid === 2);
    expect(tracks).toHaveLength(20);
    expect(new Set(tracks.map(({ tid }) => tid)).size).toBe(1);
  });

  it('counts what engines did where it changes, and ends at the end of the run', () => {
    const result = attention();
    const counters = events(perfettoTrace(result)).filter(({ ph, pid }) => ph === 'C' && pid === 2);
    expect(counters.length).toBeLessThan(200);
    expect(counters[0]!.args.busy).toBeCloseTo(result.engines[0]!.utilization, 9);
    expect(counters.at(-1)).toMatchObject({ ts: result.seconds * 1e6, args: { busy: 0, idle: 0 } });
  });

  it('has a process per core, with tracks and counters for its engines and memories', () => {
    const all = events(perfettoTrace(onCores(2)));
    const named = (event: string) => all.filter(({ name }) => name === event);
    const pids = new Map(named('process_name').map(({ args, pid }) => [args.name, pid]));
    expect([...pids.keys()]).toEqual(['sections', 'core[0]', 'core[1]', 'hbm to buffer', 'memory bandwidth']);
    const of = (pid: number) => all.filter((event) => event.pid === pid);
    const core = of(pids.get('core[1]')!);
    const tracks = core.filter(({ name }) => name === 'thread_name');
    expect(tracks.map(({ args, tid }) => [tid, args.name])).toEqual([
      [1, 'array'],
      [2, 'vector'],
    ]);
    expect(new Set(core.filter(({ ph }) => ph === 'C').map(({ name }) => name))).toEqual(
      new Set(['array cycles', 'vector cycles', 'buffer bandwidth']),
    );
    expect(
      new Set(
        of(pids.get('memory bandwidth')!)
          .filter(({ ph }) => ph === 'C')
          .map(({ name }) => name),
      ),
    ).toEqual(new Set(['hbm']));
  });

  it('has a slice for sections that repeat together, since slices of a track may not overlap', () => {
    const slices = events(perfettoTrace(takingTurns())).filter(({ ph, pid }) => ph === 'X' && pid === 1);
    expect(slices.map(({ name }) => name)).toEqual(['qkv-0', 'attention-0 to norm-0', 'feed-forward-0']);
    for (const [index, slice] of slices.slice(1).entries())
      expect(slice.ts!).toBeGreaterThanOrEqual(slices[index]!.ts! + slices[index]!.dur! - 1e-6);
  });

  it.each([bare, empty, hostile])('is JSON for degenerate runs too', (sample) => {
    const trace = perfettoTrace(sample());
    expect(trace).not.toContain('null');
    expect(events(trace).length).toBeGreaterThan(1);
  });
});

describe('the JSON report', () => {
  it('is the result, two spaces deep, and ends its last line', () => {
    const text = toJson(attention());
    expect(text.startsWith('{\n  "schema": "clockwright/result@1",\n')).toBe(true);
    expect(text.endsWith('}\n')).toBe(true);
    expect(JSON.parse(text)).toEqual(attention());
  });
});
