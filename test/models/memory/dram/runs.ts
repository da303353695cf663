/** Devices of the shipped standards, request lists, and commands in the form in which they were recorded. */
import type { DramDevice } from '../../../../arch/language/dram/device.ts';
import { findStandard } from '../../../../arch/language/dram/find.ts';
import { deviceOf } from '../../../../arch/language/dram/resolve.ts';
import type { CommandLog } from '../../../../models/memory/dram/controller.ts';
import type { PagePolicy } from '../../../../models/memory/dram/policy.ts';
import type { RequestList } from '../../../../models/memory/dram/replay.ts';
import type { BlockRequest } from '../../../reference/dram-controller-replay.ts';
import type { RecordedCommand } from '../../../reference/dram-fixture-device.ts';

/** The device of `DDR4/DDR4_8Gb_x8/DDR4_2400R`, or with `/rank2` behind it that of two ranks. */
export function shippedDevice(name: string): DramDevice {
  const [standard, organisation, speed, ranks] = name.split('/');
  const found = findStandard([standard, organisation, speed].join('/'));
  return deviceOf(found.standard, { ...found, ranks: ranks === undefined ? undefined : Number(ranks.slice(4)) });
}

/** `open`, or `capped 4`. */
export function pageOf(text: string): PagePolicy {
  const [kind, cap] = text.split(' ');
  return kind === 'capped' ? { kind, cap: Number(cap) } : { kind: 'open' };
}

/** Requests for blocks, sent as soon as they can be. */
export function requestList(requests: readonly BlockRequest[]): RequestList {
  return {
    length: requests.length,
    writes: Uint8Array.from(requests, ({ write }) => Number(write)),
    unit: 'block',
    addresses: Float64Array.from(requests, ({ block }) => block),
    columns: null,
    cycles: null,
  };
}

/** Index at each level of a bank's path, from the channel down to a level. */
export function pathOf(device: DramDevice, bank: number, level: number): number[] {
  let rest = bank;
  const path = device.counts.toReversed().map((count) => {
    const index = rest % count;
    rest = Math.floor(rest / count);
    return index;
  });
  return path.toReversed().slice(0, level + 1);
}

/** Collects the commands of a channel in the form of recorded ones. */
export function collector(device: DramDevice): { readonly sent: RecordedCommand[]; readonly log: CommandLog } {
  const sent: RecordedCommand[] = [];
  const log: CommandLog = (tick, command, bank, row, column) => {
    const { level, banks, access } = device.commands[command];
    const accesses = access !== 'none';
    sent.push({
      tick,
      command,
      path: pathOf(device, bank, level),
      row: accesses || banks === 'opens' || banks === 'activates' ? row : -1,
      column: accesses ? column : -1,
    });
  };
  return { sent, log };
}
