import { afterAll, describe, expect, it } from 'vitest';
import { runPim } from '../../models/memory/pim/run.ts';
import { readPimProgram } from '../../workloads/import/pim/program-text.ts';
import { pimFormatOf } from '../../workloads/import/pim/trace.ts';
import { Folder } from '../arch/dram/sample.ts';
import { dialect } from '../models/memory/pim/runs.ts';

const folder = new Folder();
afterAll(() => folder.remove());
const device = dialect('attacc-hbm3');
const read = (text: string) => readPimProgram(folder.write('a.pim', text), device);

describe('a PIM program as text', () => {
  it('has steps with all that they may have', () => {
    const { program, accesses } = read(`# comment
WRGB 8 over entry 8

barrier 16
repeat 4   # four times
  MACAB 64 over column 32, row 16 beside sum 2 at row 5, channel 3 first 1 step 64 of 100
  barrier
end
SFM
barrier 2 first 3
`);
    expect(accesses).toEqual([]);
    const nothing = { order: [], beside: [], at: {} };
    expect(program).toEqual([
      { ...nothing, kind: 'commands', command: 'WRGB', order: [['entry', 8]], count: 8 },
      { kind: 'barrier', channels: 16, first: 0 },
      {
        kind: 'repeat',
        times: 4,
        steps: [
          {
            kind: 'commands',
            command: 'MACAB',
            order: [
              ['column', 32],
              ['row', 16],
            ],
            beside: [['sum', 2]],
            at: { row: 5, channel: 3 },
            count: 64,
            first: 1,
            step: 64,
            of: 100,
          },
          { kind: 'barrier', channels: 1, first: 0 },
        ],
      },
      { ...nothing, kind: 'commands', command: 'SFM', count: 1 },
      { kind: 'barrier', channels: 2, first: 3 },
    ]);
  });

  it('sends reads and writes to the queue of requests, in loops of their own', () => {
    const { program, accesses } = read('repeat 3\nMACAB 2\nRD 4 over column 4 step 4\nrepeat 2\nWR\nend\nend\n');
    expect(program).toMatchObject([{ kind: 'repeat', times: 3, steps: [{ command: 'MACAB' }] }]);
    expect(accesses).toMatchObject([
      {
        times: 3,
        steps: [
          { command: 'RD', count: 4, step: 4 },
          { times: 2, steps: [{ command: 'WR' }] },
        ],
      },
    ]);
    const { commands } = runPim(device, program, { accesses });
    expect(commands).toMatchObject({ MACAB: 6, RD: 12, WR: 6 });
  });

  it.each([
    ['an unknown command', 'MACBA 4', '1:1  AttAcc-HBM3 has no command "MACBA"', 'did you mean "MACAB"?'],
    ['a command of another dialect', 'COMP 4', '1:1  AttAcc-HBM3 has no command "COMP"', ''],
    ['an unknown field', 'MACAB at rwo 4', '1:10  there is no field "rwo"', 'did you mean "row"?'],
    ['a row that is not there', 'MACAB at row 16384', '1:14  AttAcc-HBM3/', 'from 0 to 16383'],
    ['too many banks', 'RD 4 over bank 5', '1:16  AttAcc-HBM3/', 'there are 4'],
    ['an unknown clause', 'MACAB 4 ovr column 4', '1:9  "ovr" means nothing here', 'did you mean "over"?'],
    ['no number', 'MACAB at row', '1:13  the line ends where a number should follow', ''],
    ['half a command', 'MACAB 1.5', '1:7  1.5 is not whole', ''],
    ['no comma', 'MACAB at row 4 bank 2', '1:16  "bank" means nothing here', ''],
    ['a loop without an end', 'repeat 4\nMACAB', '1:1  this "repeat" has no end', 'write "end"'],
    ['an end without a loop', 'MACAB\nend', '2:1  no "repeat" is open here', 'remove it'],
    ['two steps on a line', 'barrier 2 MACAB', '1:11  "MACAB" is not the end of the step', ''],
    ['a character', 'MACAB & 4', '1:7  "&" has no meaning here', ''],
  ])('%s is shown with its place', (_, text, place, hint) => {
    const message = folder.mistakes(() => read(text));
    expect(message).toContain(`a.pim:${place}`);
    expect(message).toContain(hint);
  });

  it('all mistakes are told at once', () => {
    expect(folder.mistakes(() => read('MACBA\nSFM 2 3\nrepeat\n'))).toContain('3 mistakes');
  });
});

describe('the format of a file', () => {
  const format = (text: string, on = device) => pimFormatOf(folder.write('b.txt', text), on)?.name ?? null;

  it('is told by its first words', () => {
    expect(format('\n# x\nPIM_MAC_AB 0x0\n')).toBe("AttAcc's trace");
    for (const text of ['AiM EOC\n', '# x\n,AiM,ISR_SYNC\n', 'W CFR 2 1\n', 'R MEM 3 0 8\n', 'W,GPR,0\n']) {
      expect(format(text)).toBe("AiM's trace");
    }
    expect(format('R\nMEM\n')).toBeNull();
    expect(format('# x\n\n  MACAB 4\n')).toBe('PIM program');
    expect(format('RD 4 over column 4\n')).toBe('PIM program');
    expect(format('MACBA 4\n')).toBe('PIM program');
    expect([format('R 12\n'), format('LD 0x40\n'), format('0x40 READ 7\n'), format('')]).toEqual(Array(4).fill(null));
  });

  it('is of requests on a device that computes nothing, but for traces of other tools, which it cannot do', () => {
    const plain = dialect('hbm3');
    expect(format('MACAB 4\n', plain)).toBeNull();
    const read = () =>
      pimFormatOf(folder.write('b.txt', 'PIM_SFM 0x0\nPIM_BARRIER 0x0\n'), plain)?.read('b.txt', plain);
    expect(read).toThrow();
  });
});
