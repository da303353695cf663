import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { InputError } from '../../arch/language/diagnostics.ts';
import { readBlockTrace } from '../../workloads/import/ssd/trace.ts';

const folder = mkdtempSync(join(tmpdir(), 'clockwright-'));
afterAll(() => rmSync(folder, { recursive: true }));

function read(text: string | Buffer, capacity = 2 ** 40) {
  const file = join(folder, 'trace.txt');
  writeFileSync(file, text);
  const { length, offsets, bytes, writes, times } = readBlockTrace(file, capacity);
  return { length, offsets: [...offsets], bytes: [...bytes], writes: [...writes], times: times && [...times] };
}

function mistakes(text: string, capacity?: number): string[] {
  try {
    read(text, capacity);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return error.diagnostics.map(({ place, message }) => `${place?.line ?? ''}:${place?.column ?? ''} ${message}`);
  }
  return [];
}

describe('a trace of block requests', () => {
  it('has a kind, an offset and a size on a line, numbers in bytes or with a unit', () => {
    const text = '# a comment\nR 0 4096\n\nw 0x1000 4KiB # a write\r\nR 1MiB 0x200\n';
    const expected = {
      length: 3,
      offsets: [0, 4096, 2 ** 20],
      bytes: [4096, 4096, 512],
      writes: [0, 1, 0],
      times: null,
    };
    expect(read(text)).toEqual(expected);
    expect(read(gzipSync(text))).toEqual(expected);
  });

  it('has times on all lines, in ns or with a unit, or on none', () => {
    expect(read('R 0 512 0\nR 0 512 1.5\nR 0 512 2us\n').times).toEqual([0, 1500, 2e6]);
    expect(mistakes('R 0 512 1\nR 0 512\n')).toEqual(['2:8 the first request has a time, this one has none']);
    expect(mistakes('R 0 512\nR 0 512 1\n')).toEqual(['2:9 the first request has no time']);
    expect(mistakes('R 0 512 2\nR 0 512 1\n')).toEqual(['2:9 this time is before that of the request above']);
  });

  it('tells every wrong line with its place', () => {
    expect(mistakes('R 0 512\nX 0 512\nR\nR 0\nR 0 0\nR 0 512 1 1\nR zero 512\nR 0 4Mib\nR 10 1\n', 600)).toEqual([
      '2:1 "X" is neither R nor W',
      '3:2 an offset is missing',
      '4:4 a size is missing',
      '5:5 a request of no bytes',
      '6:11 the line goes on behind its request',
      expect.stringMatching(/^7:3 "zero" is no quantity/),
      expect.stringMatching(/^8:5 bytes 0 to 524288 of a device of 600 bytes|^8:/),
    ]);
    expect(mistakes('R 100 512\n', 600)).toEqual(['1:3 bytes 100 to 612 of a device of 600 bytes']);
    expect(mistakes('R 99999999999999999999 1\n')).toEqual(['1:3 99999999999999999999 has more than 53 bits']);
  });

  it('has at least one request, and no more than twenty mistakes that are shown', () => {
    expect(mistakes('# nothing\n')).toEqual([expect.stringContaining('has no requests')]);
    const many = mistakes('X\n'.repeat(25));
    expect(many).toHaveLength(21);
    expect(many[20]).toContain('has 5 more wrong lines');
  });
});
