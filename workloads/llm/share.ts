/** What one device of several has of a model. */
import { Record } from 'immutable';
import type { LlmModel } from './model.ts';

/**
 * `tensor` devices share heads and inner elements of the networks. `data` replicas of such a group have a batch each, all
 * of the size of this device's; only the experts are shared by all of them. They are spread over `expert` groups of
 * tensor * data / expert devices, which share the inner elements of an expert.
 */
export class DeviceShare extends Record<{
  tensor: number;
  data: number;
  expert: number;
  /** Which device it is, from 0 to tensor * data - 1; `expertsOf` says which experts it has. */
  device: number;
  /** Bytes of a weight, of an element between operators, and of an element of K or V. */
  weights: number;
  activations: number;
  cache: number;
}>({ tensor: 1, data: 1, expert: 1, device: 0, weights: 2, activations: 2, cache: 2 }, 'DeviceShare') {
  /** Devices that share an expert. */
  get expertTensor(): number {
    return (this.tensor * this.data) / this.expert;
  }
}

/** Why a model cannot be shared like that; null when it can. */
export function shareMistake(model: LlmModel, share: DeviceShare): string | null {
  const { tensor, data, expert, device, expertTensor } = share;
  const rules: readonly (readonly [boolean, string])[] = [
    [divides(tensor, model.heads), `${tensor} devices cannot share ${model.heads} heads equally`],
    [
      divides(tensor, model.kvHeads) || divides(model.kvHeads, tensor),
      `${tensor} devices cannot share ${model.kvHeads} heads of keys and values equally`,
    ],
    [
      (model.experts > 0 && model.expertEvery === 1) || divides(tensor, model.ffn),
      `${tensor} devices cannot share the ${model.ffn} inner elements of the network equally`,
    ],
    [expert === 1 || model.experts > 0, 'there are no experts to spread'],
    [divides(expert, tensor * data), `${tensor * data} devices cannot make ${expert} equal groups`],
    [
      model.experts === 0 || divides(data, expert),
      `the number of groups for experts, ${expert}, is no multiple of the ${data} replicas`,
    ],
    [divides(expert, model.experts), `${expert} groups cannot have equally many of ${model.experts} experts`],
    [
      model.experts === 0 || divides(expertTensor, model.ffn),
      `${expertTensor} devices cannot share the ${model.ffn} inner elements of an expert equally`,
    ],
    [device < tensor * data, `there is no device ${device} of ${tensor * data}`],
  ];
  return rules.find(([holds]) => !holds)?.[1] ?? null;
}

/** The first expert of a device, and the one after its last. */
export function expertsOf({ experts }: LlmModel, { device, expert, expertTensor }: DeviceShare): [number, number] {
  const each = experts / expert;
  const group = Math.floor(device / expertTensor);
  return [group * each, (group + 1) * each];
}

function divides(divisor: number, number: number): boolean {
  return number % divisor === 0;
}

/** Bytes of the weights of the first `layers` layers on a device, and with `embeddings` of those before and after them. */
export function weightBytesOf(model: LlmModel, share: DeviceShare, layers: number, embeddings: boolean): number {
  const ends = embeddings ? model.embeddingParameters(share) : 0;
  const each = Array.from({ length: layers }, (_, layer) => model.layerParameters(layer, share));
  return share.weights * each.reduce((all, weights) => all + weights, ends);
}

/** Bytes of the keys and values of one token in `layers` layers on a device. */
export function cacheBytesPerToken(model: LlmModel, share: DeviceShare, layers: number): number {
  return 2 * layers * model.kvHeadsOn(share.tensor) * model.headSize * share.cache;
}
