import { spawnSync } from 'node:child_process';
import { findSsd } from '../../arch/language/ssd/find.ts';
import { ssdCapacity } from '../../arch/language/ssd/part.ts';
import { runSsd } from '../../models/memory/ssd/run.ts';
import { Generator } from '../../models/memory/ssd/sources.ts';
import { cpuSeconds, type Row, type Section } from './harness.ts';

const requests = 1_000_000;
const targetSeconds = 2;
const targetMegabytes = 300;
/** Of MQSim, for 133,235 of them: its CPU seconds and its memory. */
const peer = 'MQSim 7.2 s at depth 16, 2013 MB';

/** 4 KiB random reads over all of an SSD. */
function reads(name: string, depth: number): () => void {
  const part = findSsd(name);
  const source = new Generator({
    pattern: 'random',
    bytes: 4096,
    reads: 1,
    region: ssdCapacity(part),
    align: 4096,
    seed: 798,
  });
  return () => {
    const { requests: done } = runSsd(part, source, { depth, requests });
    if (done !== requests) throw new Error(`${done} of ${requests} requests`);
  };
}

/** Most memory of a process that does nothing else, MB. */
function megabytes(): number {
  const { stdout, status } = spawnSync(process.execPath, [import.meta.filename, '--alone'], { encoding: 'utf8' });
  if (status !== 0) throw new Error('the run alone failed');
  return Number(stdout);
}

function rows(): Row[] {
  const timed = [
    ['mqsim-ideal', 1],
    ['mqsim-ideal', 16],
    ['mqsim-ideal', 256],
    ['mqsim-default', 16],
    ['p5510', 256],
  ] as const;
  return [
    ...timed.map(([name, depth]): Row => {
      const figure = cpuSeconds(() => reads(name, depth), 3);
      const isTarget = name === 'mqsim-ideal';
      return {
        name: `${name}, depth ${depth}`,
        figure,
        unit: 'CPU s per million reads',
        ...(isTarget && { target: { atMost: targetSeconds }, peer }),
      };
    }),
    {
      name: 'mqsim-ideal, depth 256, all of a process',
      figure: megabytes(),
      unit: 'MB',
      target: { atMost: targetMegabytes },
      peer,
    },
  ];
}

if (process.argv[2] === '--alone') {
  reads('mqsim-ideal', 256)();
  console.log(process.resourceUsage().maxRSS / 1000);
}

export const section: Section = { title: 'SSDs: 1 million random reads of 4 KiB', rows };
