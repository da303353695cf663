/** The slow twin of `replay`: every channel is a ticking controller, and each tick of all channels is executed. */
import type { DramDevice } from '../../../../arch/language/dram/device.ts';
import type { ControllerPolicy } from '../../../../models/memory/dram/policy.ts';
import type { BlockMapping, RequestList } from '../../../../models/memory/dram/replay.ts';
import { type CommandLog, TickingController } from '../../../reference/dram-controller.ts';

export interface TickingOptions {
  readonly channels: number;
  /** Ticks from a request that was taken to the next attempt; there is one a tick at most. */
  readonly gap?: number;
  /** Requests sent and not completed. */
  readonly outstanding?: number;
  readonly log: (channel: number) => CommandLog;
}

/** Sends requests for blocks, in order, an attempt before each tick, until all are completed. */
export function replayOnTwins(
  device: DramDevice,
  policy: ControllerPolicy,
  mapping: BlockMapping,
  { length, writes, addresses, cycles }: RequestList,
  { channels, gap = 0, outstanding = Number.POSITIVE_INFINITY, log }: TickingOptions,
): TickingController[] {
  const controllers = Array.from({ length: channels }, (_, i) => new TickingController(device, policy, log(i)));
  const completed = () => controllers.reduce((sum, controller) => sum + controller.completed, 0);
  let [now, sent, nextAttempt] = [0, 0, 0];
  while (completed() < length) {
    const isTime = sent < length && now >= nextAttempt && now >= (cycles?.[sent] ?? 0);
    if (isTime && sent - completed() < outstanding) {
      mapping.decode(addresses[sent]);
      const { channel, bank, row, column } = mapping;
      if (controllers[channel].send(writes[sent] === 1, bank, row, column, addresses[sent])) {
        sent++;
        nextAttempt = now + gap;
      }
    }
    for (const controller of controllers) controller.tick();
    now++;
  }
  return controllers;
}
