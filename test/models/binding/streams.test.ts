/** What a held tensor's transfers bring. */
import { describe, expect, it } from 'vitest';
import { simulate } from '../../../models/simulate.ts';
import { aMachine, aMapping, aWorkload } from '../machines.ts';

/** An image of 17 x 15 bytes under windows of 3 x 3, the second one by two. */
function convolve(...mapping: string[]) {
  const result = simulate({
    arch: aMachine(),
    workload: aWorkload('O[k,p,q] = I[p+r,2*q+s] * W[k,r,s]', {
      ranks: 'K: 4, P: 15, Q: 7, R: 3, S: 3',
      inputs: 'I[p+r,2*q+s]  W[k,r,s]',
      output: 'O[k,p,q]',
    }),
    mapping: aMapping('place: { vector: { einsums: O } }', ...mapping),
    values: true,
  });
  const { bytes, tiles } = result.mapping.sections[0]!.buffers.find(({ tensor }) => tensor === 'I')!;
  const { maxRelError } = result.values!.outputs[0]!;
  return {
    fetched: result.memories.find(({ name }) => name === 'hbm')!.tensors.I!.read,
    tile: bytes / tiles,
    isRight: maxRelError < 1e-12,
  };
}

const inTwo = 'partition: { P: [P2, P1 2, P0 2] }';

describe('a held image', () => {
  it.each([
    ['rows of windows in turn, tile after tile', ['loops: [p, r]'], 15 * 3 * 15, 3 * 15],
    ['whole, where its tiles would all be there at once', ['loops: [r, p]'], 17 * 15, 17 * 15],
    ['whole, for loops outside that it does not depend on', ['loops: [k, p, r]'], 17 * 15, 17 * 15],
    ['in both directions', ['loops: [k, r, s, q, p]'], 17 * 15, 17 * 15],
    ['as the tiles inside the loops that it is held for', [inTwo, 'loops: [p2, r, p1]'], (3 * 6 + 5) * 15, 6 * 15],
    ['as the tiles inside loops of others', [inTwo, 'loops: [p2, k, p1, s]'], (3 * 6 + 5) * 15, 6 * 15],
  ])('comes with its windows: %s', (_, mapping, fetched, tile) => {
    expect(convolve(...mapping, 'hold: I')).toEqual({ fetched, tile, isRight: true });
  });

  it('comes window by window when it is not held', () => {
    expect(convolve('loops: [k, r, p]')).toEqual({ fetched: 4 * 3 * 15 * 15, tile: 15, isRight: true });
  });
});
