/** What a composition of experts has in which tier: homes of the experts, and what models need while they run. */
import { type Diagnostic, InputError, type Place } from '../../arch/language/diagnostics.ts';
import type { ExpertComposition } from '../../workloads/llm/composition.ts';
import type { LlmModel } from '../../workloads/llm/model.ts';
import { cacheBytesPerToken, type DeviceShare, weightBytesOf } from '../../workloads/llm/share.ts';
import { bytesText, type FilledTier, placeTensors, type TieredTensor } from '../tiers/place.ts';
import type { MachineTiers, MemoryTier } from './machine.ts';

/** What a batch goes through, in turn; lifetimes of tensors are in these sections. */
export const sections = ['router', 'switching', 'prompt', 'tokens'] as const;

export interface ExpertPlacement {
  /** Bytes of an expert on a device. */
  readonly expertBytes: number;
  /** The far tier that each expert has its home in; empty where all are in the near one for good. */
  readonly homes: readonly number[];
  /** Experts that the near tier has room for beside everything else. */
  readonly rooms: number;
  /** Everything but experts, from near to far. */
  readonly tiers: readonly FilledTier[];
  /** Bytes that move to and from each far tier, for the router once a batch and for an expert once a request. */
  readonly spilled: { readonly router: readonly number[]; readonly expert: readonly number[] };
}

/**
 * Every expert has its home in the nearest far tier that has room, from where copies come to the near tier; without far tiers
 * they are all in the near one. Other tensors share the near tier with at least one expert, and leave it by their traffic.
 * @throws InputError naming what has no room, at `place`
 */
export function placeExperts(
  composition: ExpertComposition,
  { near, far }: MachineTiers,
  place: Place | undefined,
): ExpertPlacement {
  const { experts, expert, share } = composition;
  const expertBytes = Math.ceil(weightBytesOf(expert, share, expert.layers, true));
  if (expertBytes > near.capacity) throw new InputError(tooLarge(expert, expertBytes, near, place));
  const { homes, left } = homesOf(experts, expertBytes, far);
  if (far.length > 0 && homes.length < experts)
    throw new InputError(noHomes(composition, expertBytes, far, homes.length, place));
  const least = far.length > 0 ? 1 : experts;
  const room = near.capacity - least * expertBytes;
  if (room < 0)
    throw new InputError(noHomes(composition, expertBytes, [near], Math.floor(near.capacity / expertBytes), place));
  const free = { name: `${near.name} beside ${least === 1 ? 'an expert' : `${least} experts`}`, capacity: room };
  const others = far.map(({ name }, i) => ({ name: `${name} beside experts`, capacity: left[i] ?? 0 }));
  const placed = placeTensors(tensorsOf(composition), [free, ...others], place);
  const tiers = [near, ...far].map(({ name, capacity }, i) => ({ ...(placed[i] ?? nothing), name, capacity }));
  const used = tiers[0]?.allocation.bytes ?? 0;
  const rooms = Math.min(experts, Math.floor((near.capacity - used) / expertBytes));
  return { expertBytes, homes, rooms, tiers, spilled: spilledBytes(tiers.slice(1), composition) };
}

const nothing = { tensors: [], allocation: { offsets: [], bytes: 0, least: 0 }, live: [] };

/** Tiers from near to far take as many experts as have room; `left` is what remains of each. */
function homesOf(experts: number, bytes: number, far: readonly MemoryTier[]): { homes: number[]; left: number[] } {
  const homes: number[] = [];
  const left = far.map(({ capacity }, tier) => {
    const count = Math.min(experts - homes.length, Math.floor(capacity / bytes));
    for (let i = 0; i < count; i++) homes.push(tier);
    return capacity - count * bytes;
  });
  return { homes, left };
}

/** With the traffic of the whole run. Buffers of activations are written and read once in every layer. */
function tensorsOf(composition: ExpertComposition): TieredTensor[] {
  const { router, expert, share, batch, batches, prompt, output } = composition;
  const requests = batch * batches;
  const length = prompt + output - 1;
  const weights = Math.ceil(weightBytesOf(router, share, router.layers, true));
  const asked = batch * prompt * cacheBytesPerToken(router, share, router.layers);
  const answered = length * cacheBytesPerToken(expert, share, expert.layers);
  const routing = batch * prompt * activationBytes(router, share);
  const acting = prompt * activationBytes(expert, share);
  const tensor = (name: string, bytes: number, span: readonly [number, number], read: number, written: number) => {
    return { name, bytes, first: span[0], last: span[1], read, written };
  };
  return [
    tensor('router weights', weights, [0, 3], weights * batches, 0),
    tensor('router cache', asked, [0, 0], asked * batches, asked * batches),
    tensor('router activations', routing, [0, 0], routing * router.layers * batches, routing * router.layers * batches),
    tensor('expert cache', answered, [2, 3], answered * output * requests, answered * requests),
    tensor('expert activations', acting, [2, 2], acting * expert.layers * requests, acting * expert.layers * requests),
  ];
}

/** Of a token: what goes into an operator and what comes out of the widest, a network's inner elements. */
function activationBytes({ hidden, ffn, gated }: LlmModel, { tensor, activations }: DeviceShare): number {
  return activations * (hidden + ((gated ? 2 : 1) * ffn) / tensor);
}

function spilledBytes(far: readonly FilledTier[], { batch, batches }: ExpertComposition): ExpertPlacement['spilled'] {
  const of = (whose: string, times: number) =>
    far.map(({ tensors }) => {
      const own = tensors.filter(({ name }) => name.startsWith(whose));
      return Math.ceil(own.reduce((sum, { read, written }) => sum + read + written, 0) / times);
    });
  return { router: of('router', batches), expert: of('expert', batch * batches) };
}

function tooLarge(expert: LlmModel, bytes: number, near: MemoryTier, place: Place | undefined): Diagnostic {
  const message = `an expert, ${expert.name}, needs ${bytesText(bytes)} on each device, but ${near.name} has ${bytesText(near.capacity)}`;
  return { message, place, hint: 'share it out to more devices' };
}

function noHomes(
  { experts, expert }: ExpertComposition,
  bytes: number,
  tiers: readonly MemoryTier[],
  room: number,
  place: Place | undefined,
): Diagnostic {
  const names = tiers.map(({ name, capacity }) => `${name} (${bytesText(capacity)})`).join(' and ');
  const message = `${experts} experts of ${bytesText(bytes)} on each device, ${expert.name}, need ${bytesText(experts * bytes)}, but ${names} ${tiers.length === 1 ? 'has' : 'have'} room for ${room}`;
  return { message, place, hint: `take ${room} experts, more devices or a larger tier` };
}
