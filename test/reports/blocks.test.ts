import { describe, expect, it } from 'vitest';
import { blocksOf } from '../../reports/blocks.ts';
import { takingTurns } from './cores-sample.ts';
import { transformer } from './sample.ts';

describe('blocks of sections', () => {
  it('put together the sections that repeat together', () => {
    const result = takingTurns();
    const blocks = blocksOf(result);
    expect(blocks.map(({ name, repeat }) => [name, repeat])).toEqual([
      ['qkv-0', 1],
      ['attention-0 to norm-0', 3],
      ['feed-forward-0', 1],
    ]);
    expect(blocks.flatMap(({ sections }) => sections.map(({ index }) => index))).toEqual([0, 1, 2, 3, 4]);
    expect(blocks[1]!.end).toBe(result.mapping.sections[3]!.end);
  });

  it('are one for each section where sections follow one another, however often each repeats', () => {
    const result = transformer(6);
    const sections = result.mapping.sections.map((section) => ({ ...section, repeat: 2 }));
    expect(blocksOf({ ...result, mapping: { ...result.mapping, sections } })).toHaveLength(6);
  });

  it('leave no gap and no overlap in the run', () => {
    const blocks = blocksOf(takingTurns());
    for (const [index, block] of blocks.slice(1).entries()) expect(block.start).toBeCloseTo(blocks[index]!.end, 12);
  });
});
