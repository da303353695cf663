import { expect, it } from 'vitest';
import { PimChannel } from '../../../../models/memory/pim/channel.ts';
import { commands } from '../../../../workloads/language/pim-program.ts';
import { dialect } from './runs.ts';

it('a channel counts the columns that its commands multiply, on which their energy depends', () => {
  const device = dialect('neupims-hbm2');
  const channel = new PimChannel(device, { job: () => {}, access: () => {} });
  channel.pushJob([commands('COMPS_READRES', [], { count: 3, at: { row: 5 }, multiplications: 8 })], 0);
  channel.pushAccess(false, 0, 4, 1);
  while (!channel.isIdle) channel.advance(1e6);
  const of = (counts: ArrayLike<number>, name: string) => counts[device.commands.findIndex((one) => one.name === name)];
  expect([of(channel.commands, 'COMPS_READRES'), of(channel.columns, 'COMPS_READRES')]).toEqual([3, 24]);
  expect([of(channel.commands, 'RD'), of(channel.columns, 'RD')]).toEqual([4, 4]);
});
