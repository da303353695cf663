import { parseArch } from '../../arch/language/load.ts';
import { Kernel, Process } from '../../models/kernel/kernel.ts';
import { buildDram } from '../../models/memory/dram/build.ts';
import type { Dram } from '../../models/memory/dram/memory.ts';
import { oneRun } from '../../models/memory/dram/stream.ts';
import type { Requester } from '../../models/memory/dram/transfers.ts';
import { cpuSeconds, type Row, type Section } from './harness.ts';

const bytes = 2 ** 30;
const tile = 2 ** 20;

/** 8 channels of two pseudo-channels, neighbours in another channel, pseudo-channel and bank group. */
function memory(): Dram {
  const mapping = 'row-stackId-bank-column-bankGroup-pseudoChannel-channel';
  const text = [
    'machine: stream',
    'clocks: { core: 1 GHz }',
    `parts: { hbm: { kind: memory, use: dram/hbm3, channels: 8, mapping: ${mapping} } }`,
  ].join('\n');
  const part = parseArch(text, 'stream.yaml').parts.get('hbm');
  if (part?.kind !== 'memory' || part.dram === null) throw new Error('no memory of DRAM');
  return buildDram('hbm', part, part.dram, part.bandwidth);
}

/** Reads tiles, one after another. */
class Reader extends Process implements Requester {
  readonly #dram: Dram;
  #at = 0;

  constructor(kernel: Kernel, dram: Dram) {
    super(kernel, 'reader', dram.clock);
    this.#dram = dram;
  }

  get finished(): boolean {
    return this.#at === bytes;
  }

  run(): void {
    if (this.finished) return;
    this.#dram.submit(this.clock.edge(this.time), [oneRun(this.#at, tile)], tile, false, this);
    this.#at += tile;
  }

  taken({ taken }: { readonly taken: number }): void {
    this.time = taken;
    this.kernel.ready(this);
  }

  arrived(): void {}
}

function stream(dram: Dram): void {
  const kernel = new Kernel();
  new Reader(kernel, dram);
  dram.attach(kernel);
  kernel.run();
  dram.drain();
}

/** A stream of 1 GiB through HBM3. */
function rows(): Row[] {
  const dram = memory();
  stream(dram);
  const share = bytes / (dram.drain() * 1e-12) / dram.bytesPerSecond;
  const seconds = cpuSeconds(() => () => stream(memory()), 3);
  return [
    { name: '1 GiB over 16 HBM3 pseudo-channels', figure: seconds, unit: 'CPU s', target: { atMost: 1 } },
    { name: 'accesses per CPU second', figure: bytes / dram.device.burstBytes / seconds / 1e6, unit: 'M/s' },
    { name: 'share of the peak bandwidth', figure: 100 * share, unit: '%' },
  ];
}

export const section: Section = { title: 'DRAM stream', rows };
