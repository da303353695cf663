/** Replays a run of MQSim: the same SSD, the same requests from the same random numbers. */
import { findSsd, Generator, runSsd, type SsdPart, type SsdResult, ssdCapacity } from '../../../index.ts';
import type { MqsimRun } from './runs.ts';

export interface MqsimPoint {
  readonly part: SsdPart;
  readonly workload: MqsimRun['workload'];
  readonly depth: number;
}

const seed = 798;
/** MQSim submits the first request at 1 ns and none after 1 s. */
const lastSubmission = 1e12 - 1000;
const sector = 512;

export function mqsimPoint({ config, workload, depth }: Pick<MqsimRun, 'config' | 'workload' | 'depth'>): MqsimPoint {
  return { part: findSsd(`mqsim-${config}`), workload, depth };
}

export function replayMqsim({ part, workload, depth }: MqsimPoint): SsdResult {
  const source = new Generator({
    pattern: workload === 'sequential-read' ? 'sequential' : 'random',
    bytes: workload === 'sequential-read' ? 65536 : 4096,
    reads: workload === 'random-write' ? 0 : workload === 'mixed' ? 0.7 : 1,
    // Half of the addresses: its last sector is at half of the last one's number.
    region: (Math.floor((ssdCapacity(part) / sector - 1) / 2) + 1) * sector,
    align: 8192,
    seed,
  });
  return runSsd(part, source, { depth, until: lastSubmission });
}
