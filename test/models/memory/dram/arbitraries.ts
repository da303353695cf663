/** Devices, policies and traffic for property tests of DRAM controllers. */
import fc from 'fast-check';
import { banksOf, type DramDevice } from '../../../../arch/language/dram/device.ts';
import type { ControllerPolicy, PagePolicy } from '../../../../models/memory/dram/policy.ts';
import { deviceNames, fixtureDevice } from '../../../reference/dram-fixture-device.ts';

/** RUNS=n for more of them than a test suite has time for. */
export const runs = (usual: number): number => Number(process.env.RUNS ?? usual);

/**
 * A device of Ramulator's. In some, refreshes of all banks come so often that short traffic meets many; some have no command
 * that closes several banks.
 */
export const devices: fc.Arbitrary<DramDevice> = fc
  .tuple(fc.constantFrom(...deviceNames), fc.boolean(), fc.integer({ min: 0, max: 3 }))
  .map(([name, isHasty, closes]) => {
    const device = closes === 0 ? closingSingly(fixtureDevice(name)) : fixtureDevice(name);
    return isHasty ? hasty(device) : device;
  });

function closingSingly(device: DramDevice): DramDevice {
  const closesMore = ({ banks, access, level }: DramDevice['commands'][number]): boolean =>
    banks === 'closes' && access === 'none' && level < device.levels.length - 1;
  return {
    ...device,
    commands: device.commands.map((command) => (closesMore(command) ? { ...command, banks: 'none' } : command)),
  };
}

/** The device with refreshes of all banks in an eighth of their time, which is still longer than one takes. */
export function hasty(device: DramDevice): DramDevice {
  const { allBank } = device.refresh;
  if (allBank === null) return device;
  return {
    ...device,
    refresh: { ...device.refresh, allBank: { ...allBank, interval: Math.ceil(allBank.interval / 8) } },
  };
}

export const pages: readonly PagePolicy[] = [
  { kind: 'open' },
  { kind: 'closed' },
  { kind: 'capped', cap: 1 },
  { kind: 'capped', cap: 3 },
  { kind: 'timeout', ticks: 20 },
  { kind: 'timeout', ticks: 150 },
];

/** The refreshes that a device has. */
export function refreshes({ refresh }: DramDevice): ControllerPolicy['refresh'][] {
  return [
    'none',
    ...(refresh.allBank === null ? [] : (['all-bank'] as const)),
    ...(refresh.perBank === null ? [] : (['per-bank'] as const)),
  ];
}

/** Any policy that a device can have, with pages of some kinds. */
export function policies(device: DramDevice, kinds = pages): fc.Arbitrary<ControllerPolicy> {
  const queue = fc.constantFrom(1, 2, 4, 5, 32);
  return fc
    .record({
      scheduler: fc.constantFrom<ControllerPolicy['scheduler']>('frfcfs', 'frfcfs-row-hit'),
      page: fc.constantFrom(...kinds),
      refresh: fc.constantFrom(...refreshes(device)),
      readQueue: queue,
      writeQueue: queue,
      water: fc.constantFrom([0.2, 0.8], [0.1, 0.5], [0.01, 1], [0.5, 0.6]),
    })
    .map(({ water: [writeLow, writeHigh], ...policy }) => ({ ...policy, writeLow, writeHigh }));
}

/** Where a request goes. */
export interface Place {
  readonly write: boolean;
  readonly bank: number;
  readonly row: number;
  readonly column: number;
}

/** Requests for few banks, rows and columns, so that they meet, and now and then for any bank. */
export function places(device: DramDevice): fc.Arbitrary<Place> {
  const banks = banksOf(device);
  return fc.record({
    write: fc.boolean(),
    bank: fc.oneof(
      { weight: 4, arbitrary: fc.constantFrom(0, 1, banks / 2, banks - 1) },
      { weight: 1, arbitrary: fc.nat({ max: banks - 1 }) },
    ),
    row: fc.nat({ max: 2 }),
    column: fc.nat({ max: 5 }),
  });
}
