import fc from 'fast-check';
import { expect, it } from 'vitest';
import { banksOf, type DramDevice } from '../../../../arch/language/dram/device.ts';
import { controllerFor } from '../../../../models/memory/dram/channel.ts';
import type { ControllerPolicy } from '../../../../models/memory/dram/policy.ts';
import { TickingController } from '../../../reference/dram-controller.ts';
import type { RecordedCommand } from '../../../reference/dram-fixture-device.ts';
import { devices, type Place, places, policies, runs } from './arbitraries.ts';
import { collector } from './runs.ts';

/** Requests that come a few in each tick, after a pause. */
interface Burst {
  readonly pause: number;
  readonly perTick: number;
  readonly requests: readonly Place[];
}

interface Case {
  readonly device: DramDevice;
  readonly policy: ControllerPolicy;
  readonly bursts: readonly Burst[];
  readonly skipsIdle: boolean;
}

/** Ticks after the last request, in which all is answered that can be. */
const drain = 1500;

const cases: fc.Arbitrary<Case> = devices.chain((device) =>
  fc.record({
    device: fc.constant(device),
    policy: policies(device),
    bursts: fc.array(burst(device), { minLength: 1, maxLength: 20 }),
    skipsIdle: fc.boolean(),
  }),
);

function burst(device: DramDevice): fc.Arbitrary<Burst> {
  return fc.record({
    pause: fc.constantFrom(0, 0, 1, 7, 60, 400),
    perTick: fc.integer({ min: 1, max: 4 }),
    requests: fc.array(places(device), { minLength: 1, maxLength: 40 }),
  });
}

/** What both kinds of controller can do. */
interface Subject {
  send(write: boolean, bank: number, row: number, column: number, block: number): boolean;
  /** Executes ticks up to one. */
  runTo(tick: number): void;
}

/** Whether each request was taken. */
function drive(subject: Subject, { device, bursts }: Case): boolean[] {
  const banks = banksOf(device);
  const taken: boolean[] = [];
  let clock = 0;
  for (const { pause, perTick, requests } of bursts) {
    clock += pause;
    requests.forEach(({ write, bank, row, column }, i) => {
      if (i % perTick === 0) subject.runTo(clock++);
      taken.push(subject.send(write, bank, row, column, (row * banks + bank) * 64 + column));
    });
  }
  subject.runTo(clock + drain);
  return taken;
}

interface Outcome {
  readonly taken: readonly boolean[];
  readonly sent: readonly RecordedCommand[];
  readonly counts: { readonly [name: string]: number };
}

function ticking(run: Case): Outcome {
  const sent: RecordedCommand[] = [];
  const controller = new TickingController(run.device, run.policy, (tick, command, path, row, column) =>
    sent.push({ tick, command, path, row, column }),
  );
  const taken = drive(
    {
      send: (...request) => controller.send(...request),
      runTo: (tick) => {
        while (controller.clock < tick) controller.tick();
      },
    },
    run,
  );
  const { rowHits, rowMisses, rowConflicts, forwarded, coalesced } = controller.stats;
  return { taken, sent, counts: { rowHits, rowMisses, rowConflicts, forwarded, coalesced } };
}

function fast(run: Case): Outcome {
  const { sent, log } = collector(run.device);
  const controller = controllerFor(run.device, run.policy, { log, skipsIdle: run.skipsIdle });
  const taken = drive(
    {
      send: (...request) => controller.send(...request),
      runTo: (tick) => {
        while (controller.clock < tick) controller.step(tick);
      },
    },
    run,
  );
  const { rowHits, rowMisses, rowConflicts, forwarded, coalesced } = controller;
  return { taken, sent, counts: { rowHits, rowMisses, rowConflicts, forwarded, coalesced } };
}

it('sends what its ticking twin sends, at the same ticks, whatever the device, the policy and the traffic', () => {
  fc.assert(
    fc.property(cases, (run) => {
      const [found, wanted] = [fast(run), ticking(run)];
      const differs = wanted.sent.findIndex((command, i) => JSON.stringify(command) !== JSON.stringify(found.sent[i]));
      expect(found.sent[differs]).toEqual(wanted.sent[differs]);
      expect(found.sent.length).toBe(wanted.sent.length);
      expect(found.counts).toEqual(wanted.counts);
      expect(found.taken).toEqual(wanted.taken);
    }),
    { numRuns: runs(60) },
  );
});
