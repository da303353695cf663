import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { banksOf, type DramDevice } from '../../../../arch/language/dram/device.ts';
import { findStandard } from '../../../../arch/language/dram/find.ts';
import { type DeviceChoice, deviceOf } from '../../../../arch/language/dram/resolve.ts';
import { packageRoot } from '../../../../arch/language/library.ts';
import { controllerFor } from '../../../../models/memory/dram/channel.ts';
import { type ControllerPolicy, defaultPolicy, type Scheduler } from '../../../../models/memory/dram/policy.ts';
import { checkCommands } from '../../../reference/dram-checker.ts';
import type { RecordedCommand } from '../../../reference/dram-fixture-device.ts';
import { hasty, pages, refreshes } from './arbitraries.ts';
import { Dice } from './dice.ts';
import { collector } from './runs.ts';

const standards = readdirSync(join(packageRoot, 'arch/parts/dram'))
  .filter((file) => file.endsWith('.yaml'))
  .map((file) => basename(file, '.yaml'));
const schedulers: readonly Scheduler[] = ['frfcfs', 'frfcfs-row-hit'];

/** Commands that the checker looks at, at least. */
const enough = 120;

/** Commands for traffic in which requests meet: bursts for a few banks and rows, with pauses between them. */
function traffic(device: DramDevice, policy: ControllerPolicy, seed: number): RecordedCommand[] {
  const dice = new Dice(seed);
  const { sent, log } = collector(device);
  const controller = controllerFor(device, policy, { log });
  const banks = banksOf(device);
  const few = Array.from({ length: 4 }, () => dice.below(banks));
  const isRefreshed = () => policy.refresh === 'none' || sent.some(({ command }) => device.commands[command].refreshes);
  for (let block = 0; sent.length < enough || (!isRefreshed() && controller.clock < 100_000); ) {
    for (let burst = dice.below(40); burst > 0; burst--) {
      const bank = dice.below(4) === 0 ? dice.below(banks) : few[dice.below(4)];
      controller.send(dice.below(3) === 0, bank, dice.below(2), dice.below(32), block++);
      if (dice.below(2) === 0) controller.step(controller.clock + 1);
    }
    const until = controller.clock + [30, 200, 1500][dice.below(3)];
    while (controller.clock < until) controller.step(until);
  }
  expect(isRefreshed()).toBe(true);
  return sent;
}

function broken(device: DramDevice, policy: Pick<ControllerPolicy, 'scheduler' | 'page' | 'refresh'>, seed: number) {
  // Refreshes come soon, so that a few commands meet some.
  const soon = hasty(device);
  return checkCommands(soon, traffic(soon, { ...defaultPolicy, ...policy }, seed));
}

describe.each(standards)('commands for random traffic break no row of %s', (name) => {
  const { standard } = findStandard(name);
  const all: { readonly [kind: string]: DeviceChoice[] } = {
    speed: [...standard.speeds.keys()].map((speed) => ({ speed })),
    organisation: [...standard.organisations.keys()].map((organisation) => ({ organisation })),
  };

  it.each(['speed', 'organisation'])('at any %s', (kind) => {
    all[kind].forEach((choice, i) => {
      const device = deviceOf(standard, choice);
      const kinds = refreshes(device);
      const policy = { scheduler: schedulers[i % 2], page: pages[i % pages.length], refresh: kinds[i % kinds.length] };
      expect([device.name, policy, broken(device, policy, i)]).toEqual([device.name, policy, []]);
    });
  });

  const device = deviceOf(standard);
  it.each(pages.map((page, i) => ({ page, i })))('with pages $page', ({ page, i }) => {
    refreshes(device).forEach((refresh, j) => {
      const policy = { scheduler: schedulers[(i + j) % 2], page, refresh };
      expect([policy, broken(device, policy, i)]).toEqual([policy, []]);
    });
  });
});
