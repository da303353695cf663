import { join } from 'node:path';
import type { DramDevice } from '../../arch/language/dram/device.ts';
import { findStandard } from '../../arch/language/dram/find.ts';
import { deviceOf } from '../../arch/language/dram/resolve.ts';
import { packageRoot } from '../../arch/language/library.ts';
import { loadArch } from '../../arch/language/load.ts';
import { PimChannel } from '../../models/memory/pim/channel.ts';
import { serve } from '../../models/serving/serve.ts';
import type { PimProgram } from '../../workloads/language/pim-program.ts';
import { loadServingMapping } from '../../workloads/language/serving-mapping.ts';
import { loadServing } from '../../workloads/llm/load.ts';
import { attentionJobs } from '../../workloads/pim/attention.ts';
import { gemv } from '../../workloads/pim/gemv.ts';
import { cpuSeconds, type Row, type Section } from './harness.ts';

/** Columns that a layer's weights have in a channel, and of one read of them. */
const columns = 2 ** 20;
const tile = 1024;
const target = { atLeast: 5 };

interface Work {
  readonly device: DramDevice;
  readonly jobs: readonly PimProgram[];
  readonly columns: number;
}

/** Reads one after another, two of them waiting, and jobs. Returns the commands that were sent. */
function run({ device, jobs, columns: all }: Work): number {
  let left = all / tile;
  let at = 0;
  const more = (): void => {
    if (left-- <= 0) return;
    channel.pushAccess(false, at, tile, 0);
    at += tile;
  };
  const channel = new PimChannel(device, { job: () => {}, access: more });
  for (const job of jobs) channel.pushJob(job, 1);
  more();
  more();
  while (!channel.isIdle) channel.advance(channel.now + 10_000);
  return channel.commands.reduce((sum, count) => sum + count, 0);
}

/** Keys and values of 8 heads in a channel. */
function tiles(device: DramDevice): PimProgram[] {
  const shape = { heads: 8, headSize: 128, length: 4096, keyRow: 0, valueRow: 2048, vectorRow: 30_000 };
  const { logits, context } = attentionJobs(device, shape);
  return [...logits, ...context].flatMap(({ program }) => Array.from({ length: 16 }, () => program));
}

function products(device: DramDevice, command: string): PimProgram[] {
  return [gemv(device, command, { rows: 16_384, columns: 4096, lanes: 16 }).program];
}

function row(name: string, work: Work): Row {
  const commands = run(work);
  const seconds = cpuSeconds(() => () => run(work), 3);
  return { name, figure: commands / seconds / 1e6, unit: 'M commands/s', target };
}

function rows(): Row[] {
  const device = (name: string): DramDevice => deviceOf(findStandard(name).standard, {});
  const [neupims, logic, bank, attacc] = ['neupims-hbm2', 'logic-pim-hbm3', 'bank-pim-hbm3', 'attacc-hbm3'].map(
    device,
  ) as [DramDevice, DramDevice, DramDevice, DramDevice];
  return [
    row('reads, HBM2', { device: neupims, jobs: [], columns }),
    row('reads, HBM3', { device: logic, jobs: [], columns }),
    row('products, Logic-PIM', { device: logic, jobs: products(logic, 'MACBU'), columns: 0 }),
    row('products, Bank-PIM', { device: bank, jobs: products(bank, 'MACAB'), columns: 0 }),
    row('products, AttAcc', { device: attacc, jobs: products(attacc, 'MACAB'), columns: 0 }),
    row('attention, NeuPIMs', { device: neupims, jobs: tiles(neupims), columns: 0 }),
    row('reads beside attention, NeuPIMs', { device: neupims, jobs: tiles(neupims), columns }),
    layer(
      'one layer of GPT-3 7B, NeuPIMs',
      ['gpt3-7b-sharegpt-balanced', 1],
      'neupims-one-batch',
      0.876,
      '87.6 NeuPIMs',
    ),
    layer('the same, two halves in turn', ['gpt3-7b-sharegpt-balanced', 1], 'neupims', 2.2),
    layer('one layer of GPT-3 175B, 256 requests', ['gpt3-175b-b256', 4], 'neupims-one-batch', 30 / 96),
  ];
}

/** The CPU time of a layer when one token of every request is decoded in so many; of one layer, all that a run takes. */
function layer(
  name: string,
  [workload, layers]: [string, number],
  mapping: string,
  atMost: number,
  peer?: string,
): Row {
  const file = (path: string): string => join(packageRoot, path);
  const arch = loadArch(file('arch/neupims.yaml')).set('link', null);
  const served = loadServing(file(`workloads/${workload}.yaml`)).workload.set('layers', layers);
  const { mapping: places } = loadServingMapping(file(`workloads/mappings/${mapping}.yaml`));
  const figure = cpuSeconds(() => () => serve(arch, served, places), 3) / layers;
  return { name, figure, unit: 'CPU s', target: { atMost }, ...(peer !== undefined && { peer }) };
}

export const section: Section = { title: 'PIM channel', rows };
