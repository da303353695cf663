/** A composition of experts, in lines for a terminal. */
import type { ExpertTier, Result } from '../models/result.ts';
import { byteScale, count, fraction, inScale, seconds, share } from './format.ts';

type Line = [label: string, text: string];

/** Where the time of batches went, what was in the cache, and what lies in which tier. */
export function expertLines({ experts: result }: Result): Line[] {
  if (result === undefined) return [];
  const { experts, model, devices, batches, hits, misses, bytesCopied, expertBytes, rooms, tiers } = result;
  const { router, switching, execution } = result.seconds;
  const total = router + switching + execution;
  const of = (name: string, all: number) =>
    `${name} ${seconds(fraction(all, batches.length))} (${share(fraction(all, total))})`;
  const copied = byteScale(bytesCopied, 'B');
  const on = devices > 1 ? `   on one of ${devices} devices:` : '';
  return [
    [
      'experts',
      `${count(experts)} of ${model}${on} ${sized(expertBytes)} each, room for ${count(rooms)} in ${tiers[0]?.name}`,
    ],
    [
      'a batch',
      `${seconds(fraction(total, batches.length))}   ${of('router', router)}   ${of('switching', switching)}   ${of('experts', execution)}`,
    ],
    [
      'requests',
      `${count(hits + misses)}   ${share(fraction(hits, hits + misses))} find their expert in ${tiers[0]?.name}   ${inScale(bytesCopied, copied)} ${copied.unit} copied`,
    ],
    ...tiers.map((tier): Line => [tier.name, tierText(tier)]),
  ];
}

function tierText({ capacity, experts, expertBytes, tensorBytes, tensors }: ExpertTier): string {
  const scale = byteScale(capacity, 'B');
  const others = tensors.length > 0 ? `, ${sized(tensorBytes)} for ${tensors.length} other tensors` : '';
  const all = inScale(expertBytes + tensorBytes, scale);
  return `${all} of ${inScale(capacity, scale)} ${scale.unit}   ${count(experts)} experts${others}`;
}

function sized(bytes: number): string {
  const scale = byteScale(bytes, 'B');
  return `${inScale(bytes, scale)} ${scale.unit}`;
}
