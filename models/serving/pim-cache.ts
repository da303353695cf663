/** Where single elements of matrices lie in a memory that computes, as `gemv` lays them out. */
import { banksOf, type DramDevice } from '../../arch/language/dram/device.ts';
import type { Run } from './memory.ts';

/** A matrix in a channel: rows over the units in turn, of each `chunks` columns of the memory. */
export interface PlacedMatrix {
  readonly channel: number;
  readonly firstRow: number;
  readonly units: number;
  readonly chunks: number;
}

/**
 * The bytes of a memory of `channels` channels that hold `count` chunks of a row of the matrix, from `chunk` on: a run for
 * each stretch of columns in one row of a bank. Units that have several banks use them in turn.
 */
export function chunkRuns(
  device: DramDevice,
  channels: number,
  { channel, firstRow, units, chunks }: PlacedMatrix,
  at: { readonly row: number; readonly chunk: number; readonly count: number },
): Run[] {
  const { bursts, burstBytes } = device;
  const banks = banksOf(device);
  const perUnit = Math.max(1, Math.floor(banks / units));
  const runs: Run[] = [];
  const first = Math.floor(at.row / units) * chunks + at.chunk;
  for (let column = first; column < first + at.count; ) {
    const stretch = Math.floor(column / bursts);
    const width = Math.min(bursts - (column % bursts), first + at.count - column);
    const bank = (at.row % units) * perUnit + (stretch % perUnit);
    const row = firstRow + Math.floor(stretch / perUnit);
    const line = (row * banks + bank) * channels + channel;
    runs.push({ base: (line * bursts + (column % bursts)) * burstBytes, width: width * burstBytes });
    column += width;
  }
  return runs;
}
