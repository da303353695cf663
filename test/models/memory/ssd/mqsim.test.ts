import { describe, expect, it } from 'vitest';
import { mqsimPoint, replayMqsim } from '../../../../workloads/studies/mqsim/replay.ts';
import { mqsimRuns } from '../../../../workloads/studies/mqsim/runs.ts';

/** The quicker runs; the study has all. */
const chosen = mqsimRuns.filter(({ config, requests }) => config !== 'modern' && requests < 50_000);

describe('MQSim', () => {
  it.each(chosen)('comes out request by request: $workload at depth $depth, $config', (run) => {
    const { requests, latency, counters } = replayMqsim(mqsimPoint(run));
    const whole = (seconds: number): number => Math.floor(seconds * 1e6 + 1e-9);
    expect({
      ...run,
      requests,
      meanUs: whole(latency.mean),
      minUs: whole(latency.min),
      maxUs: whole(latency.max),
      reads: counters.commands.read,
      multiplaneReads: counters.commands['multi-plane read'],
      programs: counters.commands.program,
      mappingHits: counters.lookups - counters.mappingMisses,
      tableReads: counters.tableReads,
    }).toEqual(run);
  });
});
