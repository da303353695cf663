import { describe, expect, it } from 'vitest';
import { partNames, runsOf, testPart } from './reference-runs.ts';

describe('replay counts what Ramulator does', () => testPart('ddr4'));

it('is compared in all 240 runs, each in one file', () => {
  const names = partNames.flatMap((part) => runsOf(part).map(({ name }) => name));
  expect(names.length).toBe(240);
  expect(new Set(names).size).toBe(240);
});
