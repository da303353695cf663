import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { InputError } from '../../arch/language/diagnostics.ts';
import { type RequestTrace, readTrace } from '../../workloads/import/dram/trace.ts';
import { Scratch } from '../cli/command.ts';

const scratch = new Scratch();
afterAll(() => scratch.remove());

const read = (text: string | Uint8Array): RequestTrace => readTrace(scratch.write('trace.txt', text));

const listed = ({ writes, addresses, columns, cycles }: RequestTrace) => ({
  writes: [...writes],
  addresses: [...addresses],
  columns: columns && [...columns],
  cycles: cycles && [...cycles],
});

function mistakes(text: string | Uint8Array): string {
  try {
    read(text);
  } catch (error) {
    if (error instanceof InputError) return scratch.relative(error.message);
    throw error;
  }
  return 'nothing is wrong';
}

describe('request traces', () => {
  it('reads block numbers', () => {
    const trace = read('R 5\nW 0x10\nR 9007199254740991\n');
    expect([trace.length, trace.unit]).toEqual([3, 'block']);
    expect(listed(trace)).toEqual({
      writes: [0, 1, 0],
      addresses: [5, 16, Number.MAX_SAFE_INTEGER],
      columns: null,
      cycles: null,
    });
  });

  it('reads rows and columns', () => {
    const trace = read('R 4095 31\nW 0 7\n');
    expect(trace.unit).toBe('row');
    expect(listed(trace)).toEqual({ writes: [0, 1], addresses: [4095, 0], columns: [31, 7], cycles: null });
  });

  it("reads Ramulator's loads and stores", () => {
    const trace = read('LD 0x1F40\nST 128\n');
    expect(trace.unit).toBe('byte');
    expect(listed(trace)).toEqual({ writes: [0, 1], addresses: [8000, 128], columns: null, cycles: null });
  });

  it("reads DRAMsim3's traces with their cycles", () => {
    const trace = read('0x1f40 READ 12\n0xABCDEF0 WRITE 40\n4096\tREAD\t41\n');
    expect(trace.unit).toBe('byte');
    expect(listed(trace)).toEqual({
      writes: [0, 1, 0],
      addresses: [8000, 0xabcdef0, 4096],
      columns: null,
      cycles: [12, 40, 41],
    });
  });

  it('skips blank lines, comments, space around requests, and a byte order mark', () => {
    const trace = read('\uFEFF# a trace\r\n\r\n  R\t5  \r\n   # more\nW 6 # the last one');
    expect(listed(trace)).toMatchObject({ writes: [0, 1], addresses: [5, 6] });
  });

  it('reads what gzip packed', () => {
    expect(listed(read(gzipSync('R 5\nW 6\n')))).toMatchObject({ writes: [0, 1], addresses: [5, 6] });
  });

  it('reads a million lines', () => {
    const text = Array.from({ length: 1_000_000 }, (_, i) => (i % 3 === 2 ? `W ${i}` : `R ${i}`)).join('\n');
    const file = scratch.write('million.txt', text);
    const before = process.cpuUsage();
    const trace = readTrace(file);
    const { user, system } = process.cpuUsage(before);
    expect(trace.length).toBe(1_000_000);
    expect(trace.addresses.every((address, i) => address === i)).toBe(true);
    expect(trace.writes.every((write, i) => write === Number(i % 3 === 2))).toBe(true);
    // About 0.15 s alone on a core.
    expect((user + system) / 1e6).toBeLessThan(1.5);
  });
});

describe('what is wrong with a trace', () => {
  const forms = 'such as "R 1234", "W 1234", "R 12 34" (row and column), "LD 0x1f40", "ST 0x1f40" or "0x1f40 READ 12"';

  it.each([
    ['X 12', 1, '"X" is no request', forms],
    ['READ 12', 1, '"READ" is no request', forms],
    ['R', 2, 'a block or a row is missing', forms],
    ['R 12x', 3, '"12x" is no whole number', 'write a block or a row in decimal, or in hexadecimal behind 0x'],
    ['R -1', 3, '"-1" is no whole number', 'write a block or a row in decimal, or in hexadecimal behind 0x'],
    ['R 0x', 3, '"0x" is no whole number', 'write a block or a row in decimal, or in hexadecimal behind 0x'],
    ['R 1 2.5', 5, '"2.5" is no whole number', 'write a column in decimal, or in hexadecimal behind 0x'],
    ['R 1 2 3', 7, 'the line goes on behind its request', 'remove the rest, or put a # before it'],
    ['LD 0x10 5', 9, 'the line goes on behind its request', 'remove the rest, or put a # before it'],
    ['ST', 3, 'an address is missing', forms],
    ['R 9007199254740992', 3, '9007199254740992 has more than 53 bits', 'no address or cycle is as large'],
    ['0x10 FETCH 3', 6, '"FETCH" is neither READ nor WRITE', forms],
    ['0x10', 5, 'READ or WRITE is missing', forms],
    ['0x10 READ', 10, 'a cycle is missing', forms],
  ])('%s', (line, column, message, hint) => {
    const text = mistakes(`${line}\r\n`);
    expect(text.split('\n')[0]).toBe(`trace.txt:1:${column}  ${message}`);
    expect(text).toContain(`^ ${hint}`);
    expect(text.split('\n')[1]).toBe(`   1 | ${line}`);
  });

  it('is told with the line and the column, behind letters of several bytes too', () => {
    expect(mistakes('R 1\n# é\n\nééR 2\n')).toContain('trace.txt:4:1  "ééR" is no request');
    expect(mistakes('R 1\nR 5 é\n')).toContain('trace.txt:2:5  "é" is no whole number');
  });

  it('are lines of several kinds in one file', () => {
    expect(mistakes('R 5\nLD 0x40\nR 6\nR 6 7\n')).toBe(
      [
        'trace.txt:2:4  this line is of another kind than the first one',
        '   2 | LD 0x40',
        '     |    ^^^^ that has a block number ("R 1234"); put lines of one kind in a file',
        'trace.txt:4:5  this line is of another kind than the first one',
        '   4 | R 6 7',
        '     |     ^ that has a block number ("R 1234"); put lines of one kind in a file',
        '2 mistakes',
      ].join('\n'),
    );
  });

  it('is told of the first 20 wrong lines, and how many more there are', () => {
    const text = mistakes('nonsense\n'.repeat(57));
    expect(text.match(/is no request/g)).toHaveLength(20);
    expect(text).toContain('trace.txt:20:1');
    expect(text).toContain('trace.txt has 37 more wrong lines');
  });

  it('is that there is no request, no file, or no whole one', () => {
    expect(mistakes('# nothing\n\n')).toBe('trace.txt has no requests; write one on a line, such as "R 1234"');
    expect(mistakes('')).toContain('has no requests');
    expect(mistakes(gzipSync('R 5\n'.repeat(100)).subarray(0, 20))).toMatch(
      /^cannot unpack trace.txt: .*; is it a whole file that gzip wrote\?$/,
    );
    expect(() => readTrace(scratch.path('none.txt'))).toThrow('there is no such file or folder');
  });
});
