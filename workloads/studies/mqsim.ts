/**
 * Study of MQSim: its default SSD with and without an ideal mapping table, and a faster one, under requests at a fixed
 * depth, request by request the same.
 *
 * With the default times all is equal: requests served in a second, flash commands, mapping misses, and latencies down to
 * the microsecond that MQSim prints. It cuts the time of every message on the link to whole nanoseconds, which are 11 of
 * 11.5 ns in `modern`; what follows then differs in order, by a thousandth of the requests at most. MQSim also cuts
 * the time of a transfer on the flash bus to nanoseconds before it doubles it, which makes buses above 1000 MT/s free:
 * no such run is here, and buses here take what their rate says.
 */
import { type SsdResult, study } from '../../index.ts';
import { mqsimPoint, replayMqsim } from './mqsim/replay.ts';
import { configs, type MqsimRun, mqsimRuns, workloads } from './mqsim/runs.ts';

type Point = Pick<MqsimRun, 'config' | 'workload' | 'depth'>;

const recorded = ({ config, workload, depth }: Point): MqsimRun | undefined =>
  mqsimRuns.find((run) => run.config === config && run.workload === workload && run.depth === depth);

interface Figures {
  readonly iops: number;
  readonly mean_us: number;
}

const found = (rows: readonly (Point & Figures)[], run: MqsimRun): Figures | undefined =>
  rows.find((row) => row.config === run.config && row.workload === run.workload && row.depth === run.depth);

export default study({
  name: 'mqsim',
  about: 'NVMe SSDs of MQSim: requests per second and latencies at fixed queue depths',
  parameters: { config: [...configs], workload: [...workloads], depth: [1, 16, 32, 64, 256] },
  skip: (point) => recorded(point) === undefined,
  inputs: mqsimPoint,
  run: replayMqsim,
  metrics: ({ requests, latency, counters }: SsdResult, point: Point) => {
    const run = recorded(point);
    const error = (ours: number, theirs: number | undefined): number | null =>
      theirs === undefined ? null : ours / theirs - 1;
    return {
      iops: requests,
      mqsim_iops: run?.requests ?? null,
      iops_error: error(requests, run?.requests),
      mean_us: latency.mean * 1e6,
      mqsim_mean_us: run?.meanUs ?? null,
      mean_error: error(Math.floor(latency.mean * 1e6), run?.meanUs),
      p99_us: latency.p99 * 1e6,
      max_us: latency.max * 1e6,
      mqsim_max_us: run?.maxUs ?? null,
      flash_reads: counters.commands.read ?? null,
      multiplane_reads: counters.commands['multi-plane read'] ?? null,
      table_reads: counters.tableReads,
    };
  },
  units: {
    iops: '1/s',
    mqsim_iops: '1/s',
    mean_us: 'µs',
    mqsim_mean_us: 'µs',
    p99_us: 'µs',
    max_us: 'µs',
    mqsim_max_us: 'µs',
  },
  claims: mqsimRuns.flatMap((run) => {
    const text = `${run.workload} at depth ${run.depth}, ${run.config}`;
    const source = 'MQSim, CMU-SAFARI/MQSim';
    const isExact = run.config !== 'modern';
    return [
      {
        text: `Requests per second: ${text}`,
        source,
        target: run.requests,
        within: isExact ? 0 : 0.002,
        measured: (rows: readonly (Point & Figures)[]) => found(rows, run)?.iops ?? null,
      },
      {
        text: `Mean latency in whole microseconds: ${text}`,
        source,
        target: run.meanUs,
        within: isExact ? 0 : 0.01,
        measured: (rows: readonly (Point & Figures)[]) => {
          const figures = found(rows, run);
          return figures === undefined ? null : Math.floor(figures.mean_us);
        },
      },
    ];
  }),
  charts: [{ kind: 'curve', x: 'depth', y: 'iops', by: 'config', panel: 'workload', log: 'x' }],
});
