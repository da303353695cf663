import { readdirSync, rmSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { writePieces } from '../../cli/files.ts';
import { Scratch } from './command.ts';

const scratch = new Scratch();
afterAll(() => scratch.remove());

describe('a text written in pieces', () => {
  it('replaces the file as a whole', () => {
    const file = scratch.write('whole.csv', 'a longer text than the next\n');
    writePieces(file, ['a,b\n', '1,2\n']);
    expect(scratch.read('whole.csv')).toBe('a,b\n1,2\n');
    expect(readdirSync(scratch.folder)).toEqual(['whole.csv']);
    rmSync(file);
  });

  it('leaves the file as it was when a piece cannot be had', () => {
    const file = scratch.write('kept.csv', 'before\n');
    const pieces = function* (): Generator<string> {
      yield 'after\n';
      throw new Error('no more');
    };
    expect(() => writePieces(file, pieces())).toThrow('no more');
    expect(scratch.read('kept.csv')).toBe('before\n');
    expect(readdirSync(scratch.folder)).toEqual(['kept.csv']);
    rmSync(file);
  });
});
