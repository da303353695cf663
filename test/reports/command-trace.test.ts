import { describe, expect, it } from 'vitest';
import type { DramDevice } from '../../arch/language/dram/device.ts';
import { CommandTrace } from '../../reports/command-trace.ts';
import { bareDevice } from '../arch/dram/bare-device.ts';

const command = { bus: 'row', ticks: 1, banks: 'none', access: 'none', refreshes: false, syncs: 'none' } as const;
const device: DramDevice = {
  ...bareDevice({ channel: 1, stackId: 2, bankGroup: 2, bank: 4 }, 1 << 17, 64),
  commands: [
    { ...command, name: 'ACT', level: 3 },
    { ...command, name: 'REFab', level: 1 },
  ],
};

describe('the table of commands', () => {
  it('names the place of a command from the channel down, and -1 below its level', () => {
    const trace = new CommandTrace(device);
    const log = trace.log(0);
    log(3, 0, 14, 131071, 63);
    log(2 ** 40, 1, 8, -1, -1);
    expect([...trace.csv()].join('')).toBe(
      'clock,command,Channel,Sid,BankGroup,Bank,Row,Column\n3,ACT,0,1,1,2,131071,63\n1099511627776,REFab,0,1,-1,-1,-1,-1\n',
    );
  });

  it('is a header when nothing was sent', () => {
    const trace = new CommandTrace(device);
    trace.log(0);
    expect([...trace.csv()]).toEqual(['clock,command,Channel,Sid,BankGroup,Bank,Row,Column\n']);
  });

  it('puts the commands of all channels in order of time, and those of a tick in order of channels, in pieces', () => {
    const trace = new CommandTrace(device);
    const sent = [2, 3, 5].flatMap((period, channel) => {
      const log = trace.log(channel);
      return Array.from({ length: 5000 * (channel + 1) }, (_, i) => {
        log(i * period, 0, i % 16, i, i % 64);
        return { tick: i * period, channel, row: i };
      });
    });
    const pieces = [...trace.csv()];
    expect(pieces.length).toBeGreaterThan(1);
    const lines = pieces.join('').trimEnd().split('\n').slice(1);
    const expected = sent
      .toSorted((a, b) => a.tick - b.tick || a.channel - b.channel)
      .map(
        ({ tick, channel, row: i }) =>
          `${tick},ACT,${channel},${(i % 16) >> 3},${(i >> 2) % 2},${i % 4},${i},${i % 64}`,
      );
    expect(lines).toEqual(expected);
  });
});
