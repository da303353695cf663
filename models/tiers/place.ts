/** Which tier each tensor lies in: near ones while they have room, and farther ones for what is cheapest to have there. */
import { type Diagnostic, InputError, type Place } from '../../arch/language/diagnostics.ts';
import { type Allocation, allocate, type Lifetime, liveBytes } from './allocate.ts';

/** A memory of a list that goes from near to far. */
export interface Tier {
  readonly name: string;
  /** Bytes. */
  readonly capacity: number;
}

export interface TieredTensor extends Lifetime {
  /** Bytes that are read of it, and written to it, over the whole run. What is read only is never written back. */
  readonly read: number;
  readonly written: number;
}

export interface FilledTier extends Tier {
  readonly tensors: readonly TieredTensor[];
  readonly allocation: Allocation;
  /** Bytes that live in each section. */
  readonly live: readonly number[];
}

/** Traffic that a tensor brings to the tier that it lies in. */
export const trafficOf = ({ read, written }: TieredTensor): number => read + written;

/**
 * Fills tiers from near to far. What does not fit one leaves it for the next: of the tensors that live where most is wanted,
 * the one with least traffic per byte that it frees, until addresses of the rest fit. What has left comes back, most traffic
 * per byte first, where there is room for it in the end.
 * @throws InputError naming the tensors that no tier has room for; `place` is where their sizes come from
 */
export function placeTensors(
  tensors: readonly TieredTensor[],
  tiers: readonly Tier[],
  place?: Place | undefined,
): readonly FilledTier[] {
  const tooLarge = tensors.filter(({ bytes }) => tiers.every(({ capacity }) => bytes > capacity));
  if (tooLarge.length > 0) throw new InputError(tooLarge.map((tensor) => largerThanAny(tensor, tiers, place)));
  const sections = Math.max(0, ...tensors.map(({ last }) => last + 1));
  let rest = tensors;
  const filled = tiers.map((tier): FilledTier => {
    const { kept, allocation } = fill(rest, tier.capacity);
    rest = rest.filter((tensor) => !kept.includes(tensor));
    return { ...tier, tensors: kept, allocation, live: liveBytes(kept, sections) };
  });
  if (rest.length > 0) throw new InputError(noRoom(rest, tiers, place));
  return filled;
}

interface Filling {
  readonly kept: readonly TieredTensor[];
  readonly allocation: Allocation;
}

/** What of some tensors lies in a tier of this capacity. */
function fill(tensors: readonly TieredTensor[], capacity: number): Filling {
  let kept = tensors.filter(({ bytes }) => bytes <= capacity);
  let allocation = allocate(kept);
  while (allocation.bytes > capacity) {
    const leaving = cheapest(kept, allocation.bytes - capacity);
    kept = kept.filter((tensor) => tensor !== leaving);
    allocation = allocate(kept);
  }
  const left = tensors.filter((tensor) => !kept.includes(tensor)).toSorted((a, b) => perByte(b) - perByte(a));
  for (const tensor of left) {
    const more = tensors.filter((other) => other === tensor || kept.includes(other));
    const tried = allocate(more);
    if (tried.bytes <= capacity) [kept, allocation] = [more, tried];
  }
  return { kept, allocation };
}

const perByte = (tensor: TieredTensor): number => trafficOf(tensor) / Math.max(1, tensor.bytes);

/** Of the tensors that live where most bytes do, the one with least traffic per byte that it frees of `excess`; of equals the largest. */
function cheapest(tensors: readonly TieredTensor[], excess: number): TieredTensor | undefined {
  const live = liveBytes(tensors);
  const peak = live.indexOf(Math.max(...live));
  const cost = (tensor: TieredTensor): number => trafficOf(tensor) / Math.max(1, Math.min(tensor.bytes, excess));
  return tensors
    .filter(({ first, last, bytes }) => first <= peak && peak <= last && bytes > 0)
    .toSorted((a, b) => cost(a) - cost(b) || b.bytes - a.bytes)[0];
}

function largerThanAny({ name, bytes }: TieredTensor, tiers: readonly Tier[], place: Place | undefined): Diagnostic {
  const rooms = tiers.map((tier) => `${tier.name} ${bytesText(tier.capacity)}`).join(', ');
  const message = `${name} needs ${bytesText(bytes)}, more than any tier has: ${rooms}`;
  return { message, place, hint: 'share it out to more devices' };
}

/** Tensors that are named of many. */
const mostNames = 4;

function noRoom(rest: readonly TieredTensor[], tiers: readonly Tier[], place: Place | undefined): Diagnostic {
  const named = rest.toSorted((a, b) => b.bytes - a.bytes).slice(0, mostNames);
  const more = rest.length > named.length ? ` and ${rest.length - named.length} more` : '';
  const names = named.map(({ name, bytes }) => `${name} (${bytesText(bytes)})`).join(', ');
  const room = tiers.map(({ name, capacity }) => `${bytesText(capacity)} of ${name}`).join(' and ');
  return {
    message: `no room for ${names}${more} in ${room}, beside what has more traffic per byte`,
    place,
    hint: 'share them out to more devices, or give the machine a larger tier',
  };
}

const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];

/** `13.5 GB`, as capacities of tiers are given. */
export function bytesText(bytes: number): string {
  const power = bytes < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(bytes) / 3));
  return `${Number((bytes / 1000 ** power).toPrecision(4))} ${units[power]}`;
}
