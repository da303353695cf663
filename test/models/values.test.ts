import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InputError } from '../../arch/language/diagnostics.ts';
import { bind } from '../../models/binding/bind.ts';
import { Guard, type Program } from '../../models/binding/program.ts';
import { Machine } from '../../models/machine.ts';
import { simulate } from '../../models/simulate.ts';
import { ValueRun } from '../../models/values.ts';
import type { LoadedWorkload } from '../../workloads/language/workload.ts';
import { aMachine, aMapping, aWorkload, shipped, shippedMachine } from './machines.ts';
import { load, scenarios, tryBind } from './scenarios.ts';
import { changeChannels, changeGives, changeTakes, never } from './tampering.ts';

describe('values that went through the machine', () => {
  it('are those of the evaluator, for random machines, shapes and mappings', () => {
    let bound = 0;
    fc.assert(
      fc.property(scenarios({ clocks: ['1 GHz', '940 MHz', '333 MHz'] }), (scenario) => {
        const loaded = load(scenario);
        if (tryBind(loaded) === null) return;
        bound++;
        for (const { maxRelError } of simulate({ ...loaded, values: true }).values!.outputs) {
          expect(maxRelError).toBeLessThanOrEqual(1e-9);
        }
      }),
      { numRuns: 150 },
    );
    expect(bound).toBeGreaterThan(50);
  });

  it('say how large they are', () => {
    const workload = aWorkload('Z[m] = A[m] + 1', { ranks: 'M: 3', inputs: 'A[m]', output: 'Z[m]' });
    const { outputs } = simulate({ arch: aMachine(), workload, values: true }).values!;
    expect(outputs).toEqual([
      { tensor: 'Z', elements: 3, maxAbs: expect.closeTo(1.5, 0), maxAbsError: 0, maxRelError: 0 },
    ]);
  });

  it('are refused where they would not fit the memory of the computer', () => {
    const run = () =>
      simulate({ arch: shippedMachine('fusemax'), workload: shipped('attention-1-pass'), values: true });
    expect(run).toThrow(InputError);
    expect(run).toThrow(/elements are too many/);
  });
});

describe('a program with a mistake', () => {
  const arch = aMachine();
  // A product over tiles of every rank, A's tiles used again for each of N's, and its exponentials.
  const workload = aWorkload('Y[m,n] = A[m,k] * B[k,n]\nZ[m,n] = exp(Y[m,n])', { ranks: 'M: 12, N: 20, K: 8' });
  const program = bind(
    arch,
    workload,
    aMapping('partition: { M: [M1, M0 4], N: [N1, N0 4], K: [K1, K0 4] }', 'loops: [m1, n1, k1]', 'hold: [A]'),
  );
  const innermost = 4;

  it('shows none when there is none', () => {
    expect(errorOf(workload, program)).toBe(0);
  });

  it.each<[string, Program]>([
    [
      'reads tiles before they are loaded',
      ['A', 'B'].reduce((p, tensor) => changeTakes(p, 'Y', tensor, (take) => take.set('acquire', never)), program),
    ],
    ['reads a tile before it is made', changeTakes(program, 'Z', 'Y', (take) => take.set('acquire', never))],
    ['stores a tile before it is made', changeTakes(program, 'Z', 'Z', (take) => take.set('acquire', never))],
    ['gives a sum before it is complete', changeGives(program, 'Y', 'Y', givenAtFirst)],
    [
      'gives a tile back before its last use',
      changeTakes(program, 'Y', 'A', (take) => take.set('release', take.acquire)),
    ],
    [
      'loads more tiles than there is space for',
      changeChannels(program, 'A', (channel) => channel.set('capacity', 20)),
    ],
  ])('shows an error when it %s', (_, tampered) => {
    expect(errorOf(workload, tampered)).toBeGreaterThan(1e-3);
  });

  function givenAtFirst<E extends { set(key: 'publish', guard: Guard): E }>(give: E): E {
    return give.set('publish', new Guard({ first: innermost }));
  }

  function errorOf({ workload: computed }: LoadedWorkload, run: Program): number {
    const values = new ValueRun(computed);
    new Machine(arch).run(run, { watch: values.watch });
    return Math.max(...values.compare().outputs.map(({ maxRelError }) => maxRelError));
  }
});
