import type { DramDevice } from '../../../arch/language/dram/device.ts';
import type { ControllerOptions } from './controller.ts';
import type { FastController } from './fast-forward.ts';
import { OneBusController } from './one-bus.ts';
import type { ControllerPolicy } from './policy.ts';
import { SplitActivationController } from './split-activation.ts';
import { TwoBusController } from './two-bus.ts';

/** The controller that a device needs. */
export function controllerFor(
  device: DramDevice,
  policy: ControllerPolicy,
  options?: ControllerOptions,
): FastController {
  if (device.activationDeadline > 0) return new SplitActivationController(device, policy, options);
  return device.dualBus ? new TwoBusController(device, policy, options) : new OneBusController(device, policy, options);
}
