import { describe, expect, it } from 'vitest';
import { banksOf } from '../../../arch/language/dram/device.ts';
import { PimChannel } from '../../../models/memory/pim/channel.ts';
import { PimWatch } from '../../../models/serving/pim-watch.ts';
import { attentionJobs, attentionRows } from '../../../workloads/pim/attention.ts';
import { dialect } from '../memory/pim/runs.ts';

const device = dialect('neupims-hbm2');
const banks = banksOf(device);

/** Attention of a short request beside reads and writes, watched, and every command of it with its cycle. */
function run() {
  const sent: { cycle: number; command: number; bank: number }[] = [];
  const watch = new PimWatch(device, 1);
  const listener = { job: () => {}, access: () => {} };
  const channel = new PimChannel(device, listener, {
    watcher: watch.of(0),
    log: (tick, command, { bank }) => sent.push({ cycle: Math.floor(tick / device.ticksPerClock), command, bank }),
  });
  const shape = { heads: 2, queries: 1, headSize: 128, length: 300 };
  const { keys } = attentionRows(device, shape);
  const jobs = attentionJobs(device, { ...shape, keyRow: 0, valueRow: keys, vectorRow: device.rows - 1 });
  for (const [tag, { program }] of jobs.logits.entries()) channel.pushJob(program, tag);
  for (let i = 0; i < 40; i++) channel.pushAccess(i % 3 === 0, 4096 * i + 7, 50, 100 + i);
  while (!channel.isIdle) channel.advance(channel.now + 1000);
  // The last of all is a refresh that waits for nothing.
  channel.advance(channel.now + 5000);
  watch.finish(channel.now);
  return { sent, watch, end: channel.now + 1 };
}

const { sent, watch, end } = run();

describe('what happens in a channel over time', () => {
  it('is every command, in the cycle in which it is sent', () => {
    const { ordinary, pim, refresh } = watch.commands(0, end);
    let [told, counted] = [0, 0];
    ordinary.forEach((_, bin) => {
      told += ordinary[bin]! + pim[bin]! + refresh[bin]!;
      counted = sent.filter(({ cycle }) => cycle < (bin + 1) * watch.width).length;
      expect(told).toBe(counted);
    });
    expect([told, counted]).toEqual([sent.length, sent.length]);
    expect(pim.some((count) => count > 0) && refresh.some((count) => count > 0)).toBe(true);
  });

  it('has rows open from the command that opens them to the one that closes them', () => {
    const banksOfCommand = namedBanks();
    const open = Array.from({ length: 2 * banks }, () => -1);
    const cycles = new Float64Array(banks);
    const close = (place: number, cycle: number) => {
      if (open[place]! >= 0) cycles[place % banks]! += cycle - open[place]!;
      open[place] = -1;
    };
    for (const { cycle, command, bank } of sent) {
      const { banks: effect, rowBuffer = 0 } = device.commands[command]!;
      if (effect !== 'opens' && effect !== 'closes') continue;
      for (const one of banksOfCommand(command, bank)) {
        const place = rowBuffer * banks + one;
        close(place, cycle);
        if (effect === 'opens') open[place] = cycle;
      }
    }
    for (let place = 0; place < open.length; place++) close(place, end - 1);
    const { ordinary, pim } = watch.open(end);
    const covered = (bin: number) => Math.min(watch.width, end - bin * watch.width);
    for (let bank = 0; bank < banks; bank++) {
      const told = [ordinary[bank]!, pim[bank]!].reduce(
        (all, shares) => all + shares.reduce((sum, share, bin) => sum + share * covered(bin), 0),
        0,
      );
      expect(told).toBeCloseTo(cycles[bank]!, 6);
    }
    expect(Math.max(...cycles)).toBeGreaterThan(0);
  });
});

/** Banks that a command names. */
function namedBanks(): (command: number, bank: number) => Iterable<number> {
  const size = (level: number) => device.counts.slice(level + 1).reduce((all, count) => all * count, 1);
  return (command, bank) => {
    const { level, each = [] } = device.commands[command]!;
    expect(each).toEqual([]);
    const first = bank - (bank % size(level));
    return Array.from({ length: size(level) }, (_, i) => first + i);
  };
}
