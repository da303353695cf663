/** A small standard for tests. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { InputError } from '../../../arch/language/diagnostics.ts';

export const small = `standard: SMALL
levels: [channel, rank, bank, row, column]
prefetch: 8
width: 64
commands: |
  ACT    row     opens bank
  PREpb  row     closes bank
  PREab  row     closes rank
  RD     column  reads
  WR     column  writes
  RDA    column  reads, closes bank
  REFab  row     refreshes rank
read latency: nCL + nBL
write latency: nCWL + nBL
refresh: { all-bank: nREFI }
constraints: |
  # level  after   before  at least
  channel  RD RDA  -> RD   nBL
  rank     ACT     -> ACT  nFAW              window 4
  rank     RD      -> RD   nBL + 2           sibling
  bank     ACT     -> RD   nRCD
  rank     REFab   -> ACT  max(nRFC, 20 ns)
timings:
  nBL: 4
  nREFI: 7800 ns
  nRFC: { 4Gb: 10 ns, 8Gb: 160 ns }
  nFAW: { x8: 20, x16: 28 }
organisations:
  FOUR: { density: 4Gb, dq: 8, banks: 8, rows: 64 Ki, columns: 1 Ki }
  EIGHT: { density: 8Gb, dq: 16, ranks: 2, banks: 8, rows: 64 Ki, columns: 1 Ki }
speeds:
  FAST: { rate: 2000, tCK: 1 ns, nCL: 10, nCWL: 8, nRCD: 10 }
  SLOW: { rate: 1000, tCK: 2 ns, nCL: 5, nCWL: 4, nRCD: 5 }
`;

/** A text after some changes, each of which must find what it changes. */
export function changed(text: string, ...changes: readonly (readonly [string, string])[]): string {
  return changes.reduce((all, [from, to]) => {
    if (!all.includes(from)) throw new Error(`"${from}" is not in the text`);
    return all.replace(from, to);
  }, text);
}

/** A folder of files that is removed after the tests. */
export class Folder {
  readonly path = mkdtempSync(join(tmpdir(), 'clockwright-dram-'));

  write(name: string, text: string): string {
    const file = join(this.path, name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
    return file;
  }

  /** What a user reads when `action` finds mistakes; paths without the folder. */
  mistakes(action: () => unknown): string {
    try {
      action();
    } catch (error) {
      if (error instanceof InputError) return error.message.replaceAll(`${this.path}/`, '');
      throw error;
    }
    return 'no mistake';
  }

  remove(): void {
    rmSync(this.path, { recursive: true });
  }
}
