/** Page policies as users write them. */
import { nearest, suggest } from '../../../arch/language/diagnostics.ts';
import { type DramDevice, tickPs } from '../../../arch/language/dram/device.ts';
import type { PagePolicy } from './policy.ts';

/** What is wrong with a page policy, as one clause, and what would do. */
export class PagePolicyError extends Error {
  readonly hint: string;

  constructor(message: string, hint: string) {
    super(message);
    this.name = 'PagePolicyError';
    this.hint = hint;
  }
}

/** Each with a text that would do. */
const kinds = { open: 'open', closed: 'closed', capped: 'capped 4', timeout: 'timeout 200 ns' };

/**
 * `open`, `closed`, `capped 4` (accesses), or `timeout 200 ns`, `timeout 100 CK` (clock cycles), `timeout 100` (ticks of the
 * device). Times are rounded up to whole ticks.
 * @throws PagePolicyError
 */
export function pagePolicyOf(text: string, device: DramDevice): PagePolicy {
  const [kind = '', ...rest] = text.trim().split(/\s+/);
  const amount = rest.join(' ');
  switch (kind) {
    case 'open':
    case 'closed':
      if (amount === '') return { kind };
      throw new PagePolicyError(`page policy "${kind}" has no number`, `write "${kind}"`);
    case 'capped':
      return { kind, cap: wholeOf(amount, kind) };
    case 'timeout':
      return { kind, ticks: ticksOf(amount, device) };
    default: {
      const near = Object.entries(kinds).find(([name]) => name === nearest(kind, Object.keys(kinds)));
      const hint = near ? `did you mean "${near[1]}"?` : suggest(kind, Object.values(kinds));
      throw new PagePolicyError(`there is no page policy "${text}"`, hint);
    }
  }
}

function ticksOf(amount: string, device: DramDevice): number {
  const [, number = '', unit = ''] = /^(\S*?)\s*(ns|us|CK)?$/.exec(amount) ?? [];
  if (unit === '') return wholeOf(amount, 'timeout');
  const value = Number(number);
  if (number === '' || !(value > 0 && Number.isFinite(value))) throw wrongNumber(amount, 'timeout');
  const ticks = {
    ns: (value * 1000) / tickPs(device),
    us: (value * 1e6) / tickPs(device),
    CK: value * device.ticksPerClock,
  };
  return Math.ceil(ticks[unit as keyof typeof ticks]);
}

function wholeOf(amount: string, kind: 'capped' | 'timeout'): number {
  if (!/^[1-9]\d{0,8}$/.test(amount)) throw wrongNumber(amount, kind);
  return Number(amount);
}

function wrongNumber(amount: string, kind: 'capped' | 'timeout'): PagePolicyError {
  const counted = kind === 'capped' ? 'accesses' : 'ticks, ns or CK';
  const message = amount === '' ? `page policy "${kind}" needs a number` : `"${amount}" is no number of ${counted}`;
  return new PagePolicyError(message, `such as "${kinds[kind]}"`);
}
