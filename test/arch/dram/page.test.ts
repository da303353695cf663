import { describe, expect, it } from 'vitest';
import { parsePage } from '../../../arch/language/dram/page.ts';
import { UnitError } from '../../../arch/language/units.ts';
import { pagePolicyOf } from '../../../models/memory/dram/policy.ts';
import { bareDevice } from './bare-device.ts';

/** Clock cycles of 1 ns. */
const device = bareDevice({ channel: 1, bank: 4 }, 1024, 64);
const halfCycles = { ...device, clockPs: 833, ticksPerClock: 2 };

function whyNot(text: string): string {
  try {
    parsePage(text);
  } catch (error) {
    if (error instanceof UnitError) return `${error.message}; ${error.hint}`;
    throw error;
  }
  return 'nothing is wrong';
}

describe('page policies', () => {
  it('are open, closed, or close a row after some accesses or some time', () => {
    expect(pagePolicyOf(parsePage('open'), device)).toEqual({ kind: 'open' });
    expect(pagePolicyOf(parsePage('closed'), device)).toEqual({ kind: 'closed' });
    expect(pagePolicyOf(parsePage(' capped  16 '), device)).toEqual({ kind: 'capped', cap: 16 });
    expect(pagePolicyOf(parsePage('timeout 100'), halfCycles)).toEqual({ kind: 'timeout', ticks: 100 });
    expect(pagePolicyOf(parsePage('timeout 100 CK'), halfCycles)).toEqual({ kind: 'timeout', ticks: 200 });
    expect(pagePolicyOf(parsePage('timeout 0.5 us'), device)).toEqual({ kind: 'timeout', ticks: 500 });
  });

  it('round times up to whole ticks', () => {
    expect(pagePolicyOf(parsePage('timeout 10 ns'), { ...device, clockPs: 833 })).toEqual({
      kind: 'timeout',
      ticks: 13,
    });
    expect(pagePolicyOf(parsePage('timeout 10ns'), halfCycles)).toEqual({ kind: 'timeout', ticks: 25 });
  });

  it.each([
    ['capped', 'page policy "capped" needs a number; such as "capped 4"'],
    ['capped 0', '"0" is no number of accesses; such as "capped 4"'],
    ['timeout', 'page policy "timeout" needs a number; such as "timeout 200 ns"'],
    ['timeout x ns', '"x ns" is no number of ticks, ns or CK; such as "timeout 200 ns"'],
    ['timeout 1e999 ns', '"1e999 ns" is no number of ticks, ns or CK; such as "timeout 200 ns"'],
    ['timeout 5 s', '"5 s" is no number of ticks, ns or CK; such as "timeout 200 ns"'],
    ['open 3', 'page policy "open" has no number; write "open"'],
    ['opne', 'there is no page policy "opne"; did you mean "open"?'],
    ['capd 4', 'there is no page policy "capd 4"; did you mean "capped 4"?'],
    ['lazy', 'there is no page policy "lazy"; one of open, closed, capped 4, timeout 200 ns'],
  ])('%s is wrong', (text, message) => {
    expect(whyNot(text)).toBe(message);
  });
});
