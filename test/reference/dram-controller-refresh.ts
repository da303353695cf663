/** When refreshes fall due: each manager names, tick by tick, the commands that join the controller's priority queue. */
import type { DramDevice } from '../../arch/language/dram/device.ts';
import type { Refresh } from '../../models/memory/dram/policy.ts';
import type { TickingBanks } from './dram-controller-banks.ts';

export interface DueRefresh {
  readonly command: number;
  readonly path: readonly number[];
}

/** Called once with every tick, in order. */
export type RefreshManager = (tick: number) => readonly DueRefresh[];

export function refreshManager(device: DramDevice, policy: Refresh, banks: TickingBanks): RefreshManager {
  const { allBank, perBank } = device.refresh;
  if (policy === 'all-bank' && allBank !== null) return allBankRefresh(device, allBank, banks);
  if (policy === 'per-bank' && perBank !== null)
    return perBank.lockstep ? lockstepRefresh(device, perBank, banks) : roundRobinRefresh(perBank, banks);
  if (policy === 'none') return () => [];
  throw new Error(`${device.name} has no ${policy} refresh`);
}

/** Every interval, one refresh for each node of the command's level, at its end or spread over it. */
function allBankRefresh(
  device: DramDevice,
  { command, interval, staggered }: NonNullable<DramDevice['refresh']['allBank']>,
  banks: TickingBanks,
): RefreshManager {
  const nodes = banks.pathsAt(device.commands[command].level);
  if (staggered) {
    // Node i falls due i + 1 parts after every interval, rounded down.
    return (tick) =>
      nodes.flatMap((path, i) => {
        const turns = Array.from({ length: 2 }, (_, n) => Math.floor(tick / interval) + n);
        const isDue = turns.some(
          (turn) => tick > 0 && tick === Math.floor((interval * ((turn - 1) * nodes.length + i + 1)) / nodes.length),
        );
        return isDue ? [{ command, path }] : [];
      });
  }
  return (tick) => (tick % interval === 0 ? nodes.map((path) => ({ command, path })) : []);
}

type PerBank = NonNullable<DramDevice['refresh']['perBank']>;

/** Every interval the next bank, in tree order. */
function roundRobinRefresh({ command, interval }: PerBank, banks: TickingBanks): RefreshManager {
  return (tick) => {
    if (tick % interval !== 0) return [];
    const turn = tick / interval - 1;
    return [{ command, path: banks.all[turn % banks.all.length].path }];
  };
}

/**
 * Every interval the same bank of every pseudo-channel, one command a tick. All banks of a stack id make a set; after the
 * last of a set, that pseudo-channel's set of that stack id rests for `setGap` ticks.
 */
function lockstepRefresh(
  device: DramDevice,
  { command, interval, setGap }: PerBank,
  banks: TickingBanks,
): RefreshManager {
  const channels = device.counts[device.levels.indexOf('pseudoChannel')];
  const stackId = device.levels.indexOf('stackId');
  const stackIds = stackId === -1 ? 1 : device.counts[stackId];
  const setSize = banks.all.length / channels / stackIds;
  const refreshedOf = new Array<number>(channels * stackIds).fill(0);
  const allowedFrom = new Array<number>(channels * stackIds).fill(0);
  const pending: { set: number; bank: number }[] = [];
  let next = interval;
  let turn = 0;

  const queueOne = (tick: number): readonly DueRefresh[] => {
    const due = pending.shift();
    if (due === undefined) return [];
    refreshedOf[due.set]++;
    if (refreshedOf[due.set] === setSize) {
      refreshedOf[due.set] = 0;
      allowedFrom[due.set] = tick + setGap;
    }
    return [{ command, path: banks.all[due.set * setSize + due.bank].path }];
  };

  return (tick) => {
    if (pending.length > 0) return queueOne(tick);
    if (tick < next) return [];
    const sid = Math.floor(turn / setSize) % stackIds;
    const sets = Array.from({ length: channels }, (_, channel) => channel * stackIds + sid);
    if (sets.some((set) => tick < allowedFrom[set])) {
      next = tick + 1;
      return [];
    }
    pending.push(...sets.map((set) => ({ set, bank: turn % setSize })));
    turn++;
    next += interval;
    return queueOne(tick);
  };
}
