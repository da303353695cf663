/** Page policies: what happens to a row that nothing needs at the moment. */
import { Record } from 'immutable';
import { nearest, suggest } from '../diagnostics.ts';
import { UnitError } from '../units.ts';
import { type DramDevice, tickPs } from './device.ts';

export class Page extends Record<{
  kind: 'open' | 'closed' | 'capped' | 'timeout';
  /** Of `capped`: accesses after which a row is closed. */
  cap: number;
  /** Of `timeout`: clock cycles of the memory, picoseconds, or ticks of the device, without an access. */
  after: number;
  unit: 'CK' | 'ps' | 'tick';
}>({ kind: 'open', cap: 0, after: 0, unit: 'CK' }, 'Page') {}

/** Each kind with a text that would do. */
const kinds = { open: 'open', closed: 'closed', capped: 'capped 4', timeout: 'timeout 200 ns' };

const picoseconds = { ps: 1, ns: 1e3, us: 1e6 };

/**
 * `open`, `closed`, `capped 4` (accesses), or `timeout 200 ns`, `timeout 100 CK` (clock cycles), `timeout 100` (ticks of the
 * device).
 * @throws UnitError
 */
export function parsePage(text: string): Page {
  const [kind = '', ...rest] = text.trim().split(/\s+/);
  const amount = rest.join(' ');
  switch (kind) {
    case 'open':
    case 'closed':
      if (amount === '') return new Page({ kind });
      throw new UnitError(`page policy "${kind}" has no number`, undefined, `write "${kind}"`);
    case 'capped':
      return new Page({ kind, cap: wholeOf(amount, kind) });
    case 'timeout':
      return new Page({ kind, ...timeOf(amount) });
    default: {
      const near = Object.entries(kinds).find(([name]) => name === nearest(kind, Object.keys(kinds)));
      const hint = near ? `did you mean "${near[1]}"?` : suggest(kind, Object.values(kinds));
      throw new UnitError(`there is no page policy "${text}"`, undefined, hint);
    }
  }
}

/** A page policy as it is written. */
export function pageText({ kind, cap, after, unit }: Page): string {
  if (kind === 'capped') return `capped ${cap}`;
  if (kind !== 'timeout') return kind;
  if (unit === 'tick') return `timeout ${after}`;
  return unit === 'CK' ? `timeout ${after} CK` : `timeout ${after / picoseconds.ns} ns`;
}

/** Whole ticks of the device after which an unused row is closed. */
export function timeoutTicks({ after, unit }: Page, device: DramDevice): number {
  const perTick = { CK: 1 / device.ticksPerClock, ps: tickPs(device), tick: 1 };
  return Math.ceil(after / perTick[unit]);
}

function timeOf(amount: string): { after: number; unit: Page['unit'] } {
  const [, number = '', unit = ''] = /^(\S*?)\s*(ps|ns|us|CK)?$/.exec(amount) ?? [];
  if (unit === '') return { after: wholeOf(amount, 'timeout'), unit: 'tick' };
  const value = Number(number);
  if (number === '' || !(value > 0 && Number.isFinite(value))) throw wrongNumber(amount, 'timeout');
  if (unit === 'CK') return { after: value, unit };
  return { after: Number((value * picoseconds[unit as keyof typeof picoseconds]).toPrecision(15)), unit: 'ps' };
}

function wholeOf(amount: string, kind: 'capped' | 'timeout'): number {
  if (!/^[1-9]\d{0,8}$/.test(amount)) throw wrongNumber(amount, kind);
  return Number(amount);
}

function wrongNumber(amount: string, kind: 'capped' | 'timeout'): UnitError {
  const counted = kind === 'capped' ? 'accesses' : 'ticks, ns or CK';
  const message = amount === '' ? `page policy "${kind}" needs a number` : `"${amount}" is no number of ${counted}`;
  return new UnitError(message, undefined, `such as "${kinds[kind]}"`);
}
