/**
 * A host that hands out a PIM program command by command, and ticks every cycle of every channel: what runs of commands that go
 * as one step, channels that are run once, and cycles that are passed over must be equal to.
 */
import { banksOf, type DramDevice } from '../../arch/language/dram/device.ts';
import { PimController, type PimOptions } from '../../models/memory/pim/controller.ts';
import { barrierCommand, syncCommand } from '../../models/memory/pim/cursor.ts';
import type { Addressed } from '../../models/memory/pim/queue.ts';
import type { PimCommands, PimProgram, PimStep } from '../../workloads/language/pim-program.ts';

export interface SlowRun {
  readonly cycles: number;
  /** By channel: ticks, commands and addresses in text. */
  readonly sent: readonly (readonly string[])[];
}

type Item =
  | { readonly kind: 'one'; readonly channel: number; readonly address: Addressed }
  | { readonly kind: 'instruction'; readonly to: readonly { channel: number; address: Addressed }[]; waits: boolean }
  | { readonly kind: 'sync' };

/** One command as text, for comparisons. */
export function sentText(device: DramDevice, tick: number, command: number, address: Addressed): string {
  const { bank, row, column, entry, sum } = address;
  const own = command === address.command ? [column, entry, sum] : [];
  return [tick, device.commands[command].name, bank, row, ...own].join(' ');
}

export function runSlowly(
  device: DramDevice,
  program: PimProgram,
  channels: number,
  options: Omit<PimOptions, 'log'>,
): SlowRun {
  const sent: string[][] = Array.from({ length: channels }, () => []);
  const came = Array<number>(channels).fill(0);
  const done = Array<number>(channels).fill(0);
  const controllers = sent.map(
    (own, channel) =>
      new PimController(device, device.commands.keys(), {
        ...options,
        log: (tick, command, address) => {
          own.push(sentText(device, tick, command, address));
          if (command !== address.command) return;
          const { takes, access, pim } = device.commands[command];
          const usual = { read: device.readLatency, write: device.writeLatency, none: device.ticksPerClock }[access];
          const end = Math.floor(tick / device.ticksPerClock) + Math.ceil((takes ?? usual) / device.ticksPerClock);
          if (access === 'read' || pim?.to === 'host') came[channel] = Math.max(end, came[channel] + 1);
          else done[channel] = Math.max(end, done[channel]);
        },
      }),
  );
  const items = itemsOf(device, program, 0);
  const inOrder = options.scheduler === 'in-order';
  const queueOf = (channel: number, { command }: Addressed) => {
    const { access = 'none', level = 0 } = device.commands[command] ?? {};
    const isRequest = inOrder && access !== 'none' && level === device.levels.length - 1;
    return isRequest ? controllers[channel].requests : controllers[channel].commands;
  };
  const push = (channel: number, address: Addressed, cycle: number): boolean => {
    const queue = queueOf(channel, address);
    const { commands, requests } = controllers[channel];
    if (queue.isFull || (inOrder && (queue === commands ? requests : commands).size > 0)) return false;
    queue.push(address, cycle);
    return true;
  };

  const left: Addressed[][] = Array.from({ length: channels }, () => []);
  let awaited: { readonly channels: readonly number[]; readonly isSync: boolean } | null = null;
  let isHanding = false;
  let free = 0;
  let cycle = 0;
  /** The cycle after that in which what is awaited has come, once that is known. */
  const released = (): number => {
    const { channels: all = [], isSync = false } = awaited ?? {};
    if (all.some((channel) => controllers[channel].waiting > 0)) return Number.POSITIVE_INFINITY;
    const ends = all.map((c) => (isSync ? Math.max(came[c], done[c], controllers[c].synced) + 1 : came[c]));
    return Math.max(...ends) + 1;
  };
  const hand = (): void => {
    for (const [channel, own] of left.entries()) while (own.length > 0 && push(channel, own[0], cycle)) own.shift();
    isHanding = left.some((own) => own.length > 0);
    if (!isHanding) free = cycle + 1;
  };
  const isBusy = () => items.length > 0 || isHanding || (awaited !== null && released() === Number.POSITIVE_INFINITY);
  while (isBusy() || controllers.some((one) => !one.isIdle)) {
    cycle++;
    if (cycle > 200_000) throw new Error('no end');
    if (isHanding) hand();
    else if (awaited === null || cycle >= released()) {
      awaited = null;
      while (items.length > 0 && cycle >= free) {
        const [item] = items;
        if (item.kind === 'one') {
          if (!push(item.channel, item.address, cycle)) break;
          items.shift();
          continue;
        }
        items.shift();
        if (item.kind === 'sync') {
          for (const own of left) own.push({ command: syncCommand, bank: 0, row: 0, column: 0, entry: 0, sum: 0 });
          awaited = { channels: [...controllers.keys()], isSync: true };
        } else {
          for (const { channel, address } of item.to) left[channel].push(address);
          if (item.waits) awaited = { channels: [...new Set(item.to.map(({ channel }) => channel))], isSync: false };
        }
        hand();
        break;
      }
    }
    for (const controller of controllers) controller.cycle(cycle);
  }
  return { cycles: awaited === null ? cycle : Math.max(cycle, released() - 1), sent };
}

/** All that a program hands out, in its order; `iteration` is that of the innermost repeat around. */
function itemsOf(device: DramDevice, program: PimProgram, iteration: number): Item[] {
  return program.flatMap((step) => itemsIn(device, step, iteration));
}

function itemsIn(device: DramDevice, step: PimStep, iteration: number): Item[] {
  switch (step.kind) {
    case 'sync':
      return [{ kind: 'sync' }];
    case 'repeat':
      return Array.from({ length: step.times }, (_, n) => itemsOf(device, step.steps, n)).flat();
    case 'barrier':
      return Array.from({ length: step.channels }, (_, i) => ({
        kind: 'one',
        channel: (step.first ?? 0) + i,
        address: { command: barrierCommand, bank: 0, row: 0, column: 0, entry: 0, sum: 0 },
      }));
    case 'commands':
      return addressesOf(device, step, iteration).map(({ channel, ...address }) => ({ kind: 'one', channel, address }));
    case 'instruction': {
      const to = itemsOf(device, step.steps, iteration).flatMap((item) =>
        item.kind === 'one' ? step.channels.map((channel) => ({ channel, address: item.address })) : [],
      );
      return [{ kind: 'instruction', to, waits: step.waits === true }];
    }
  }
}

function addressesOf(device: DramDevice, step: PimCommands, iteration: number): (Addressed & { channel: number })[] {
  const first = (step.first ?? 0) + (step.step ?? 0) * iteration;
  const numbers = Array.from({ length: step.count }, (_, i) => first + i);
  return numbers
    .filter((number) => number >= 0 && number < (step.of ?? Number.POSITIVE_INFINITY))
    .map((number) => {
      const fields = new Map<string, number>(Object.entries(step.at ?? {}));
      const count = (order: PimCommands['order'], from: number): void => {
        let rest = from;
        for (const [field, size] of order) {
          fields.set(field, (fields.get(field) ?? 0) + (rest % size));
          rest = Math.floor(rest / size);
        }
      };
      count(step.order, number);
      count(step.beside ?? [], number - first);
      const of = (field: string): number => fields.get(field) ?? 0;
      const below = (level: number): number =>
        banksOf(device) / device.counts.slice(0, level + 1).reduce((a, n) => a * n, 1);
      const bank = device.levels.reduce((all, name, at) => (at === 0 ? 0 : all + of(name) * below(at)), 0);
      return {
        command: device.commands.findIndex(({ name }) => name === step.command),
        channel: of('channel'),
        bank,
        row: of('row'),
        column: of('column'),
        entry: of('entry'),
        sum: of('sum'),
      };
    });
}
