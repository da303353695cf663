/**
 * What MQSim (FAST 2018) gives: github.com/CMU-SAFARI/MQSim, built by its Makefile with gcc 12.2. Every run is 1 s of simulated
 * time with a fixed queue depth: 4 KiB random reads, writes, or 70 % reads, or 64 KiB sequential reads, over half of the
 * addresses, at multiples of 8 KiB, seed 798. Its times are cut to whole microseconds.
 */
export const configs = ['ideal', 'default', 'modern'] as const;
export const workloads = ['random-read', 'random-write', 'mixed', 'sequential-read'] as const;

export interface MqsimRun {
  readonly config: (typeof configs)[number];
  readonly workload: (typeof workloads)[number];
  readonly depth: number;
  /** Submitted in the second: its figure of requests per second. */
  readonly requests: number;
  readonly meanUs: number;
  readonly minUs: number;
  readonly maxUs: number;
  /** Flash commands: reads of one plane and of several, programs of one plane. */
  readonly reads: number;
  readonly multiplaneReads: number;
  readonly programs: number;
  /** Mapping entries that were cached, and pages of the table that were read. */
  readonly mappingHits: number;
  readonly tableReads: number;
}

const run = (
  config: MqsimRun['config'],
  workload: MqsimRun['workload'],
  ...[depth, requests, meanUs, minUs, maxUs, reads, multiplaneReads, programs, mappingHits, tableReads]: number[]
): MqsimRun =>
  ({
    config,
    workload,
    depth,
    requests,
    meanUs,
    minUs,
    maxUs,
    reads,
    multiplaneReads,
    programs,
    mappingHits,
    tableReads,
  }) as MqsimRun;

export const mqsimRuns: readonly MqsimRun[] = [
  run('ideal', 'random-read', 1, 11248, 88, 88, 88, 11248, 0, 0, 11248, 0),
  run('ideal', 'random-read', 16, 133235, 120, 88, 593, 133123, 56, 0, 133235, 0),
  run('ideal', 'random-read', 64, 226596, 282, 88, 1986, 224956, 820, 0, 226596, 0),
  run('ideal', 'random-read', 256, 251443, 1019, 88, 8374, 244209, 3617, 0, 251443, 0),
  run('ideal', 'sequential-read', 32, 29381, 1089, 120, 1487, 56, 117496, 0, 235048, 0),
  run('default', 'random-read', 1, 6035, 165, 88, 165, 12068, 0, 0, 2, 6033),
  run('default', 'random-read', 16, 73190, 218, 88, 848, 146164, 49, 0, 90, 73072),
  run('default', 'random-read', 64, 135050, 473, 88, 3694, 268148, 761, 0, 317, 134620),
  run('default', 'random-read', 256, 152916, 1675, 88, 12748, 296614, 4318, 0, 402, 152334),
  run('default', 'random-write', 16, 38043, 420, 22, 633, 37963, 19, 34998, 0, 38001),
  run('default', 'mixed', 16, 45435, 352, 21, 1989, 77016, 53, 13666, 30, 45381),
  run('default', 'sequential-read', 32, 24380, 1313, 196, 5274, 129463, 35100, 0, 0, 4623),
  run('modern', 'random-read', 1, 18163, 55, 55, 55, 18163, 0, 0, 18163, 0),
  run('modern', 'random-read', 16, 221331, 72, 55, 366, 221191, 70, 0, 221331, 0),
  run('modern', 'random-read', 64, 418710, 152, 55, 1308, 416756, 977, 0, 418710, 0),
  run('modern', 'random-read', 256, 469243, 545, 55, 5757, 459887, 4678, 0, 469243, 0),
  run('modern', 'sequential-read', 32, 68701, 465, 68, 641, 40, 274784, 0, 549608, 0),
];
