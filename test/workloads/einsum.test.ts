import fc from 'fast-check';
import { is } from 'immutable';
import { describe, expect, it } from 'vitest';
import { einsumText } from '../../workloads/language/describe.ts';
import { Access, einsumsOf, Index, Literal, type Operation } from '../../workloads/language/workload.ts';
import { aWorkload, einsumNamed, mistakesOf } from './cascades.ts';

const matmul = 'Z[m,n] = A[m,k] * B[k,n]';

/** The expression of `Z`, printed with every parenthesis that the parser saw. */
function parsed(expression: string): string {
  const z = einsumNamed(aWorkload(`Z[m,n] = ${expression}`, { inputs: 'A[m,n] B[m,n] S[]' }), 'Z');
  const show = (e: typeof z.expression): string => {
    if (e instanceof Access) return e.tensor;
    if (e instanceof Literal) return String(e.value);
    return `${e.operator}(${e.operands.map(show).join(' ')})`;
  };
  return show(z.expression);
}

describe('einsum', () => {
  it('sums over the ranks that the output lacks', () => {
    const z = einsumNamed(aWorkload(matmul), 'Z');
    expect(z.reduced.toArray()).toEqual(['k']);
    expect(z.reducer).toBe('add');
  });

  it.each([
    ['A + B * S', 'add(A mul(B S))'],
    ['(A + B) * S', 'mul(add(A B) S)'],
    ['A - B - S', 'sub(sub(A B) S)'],
    ['A - (B - S)', 'sub(A sub(B S))'],
    ['A / B * S', 'mul(divide(A B) S)'],
    ['-A * B', 'mul(neg(A) B)'],
    ['--A', 'neg(neg(A))'],
    ['A * -2', 'mul(A -2)'],
    ['max(A, -inf)', 'max(A -Infinity)'],
    ['exp(A) + 1e-5', 'add(exp(A) 0.00001)'],
    ['A / N', 'divide(A 3)'],
    ['A / sqrt(M * N - 3)', 'divide(A 3)'],
    ['rsqrt(square(A)) + .5', 'add(rsqrt(square(A)) 0.5)'],
  ])('reads %s as %s', (text, tree) => {
    expect(parsed(text.replace(/\b[AB]\b/g, '$&[m,n]'))).toBe(tree);
  });

  it('tells the reduction max(m) from the function max(a, b)', () => {
    const workload = aWorkload('X[n] = max(m, k) A[m,k] * B[k,n]\nZ[n] = max(X[n], S)', {
      inputs: 'A[m,k] B[k,n] S',
      output: 'Z[n]',
    });
    const [x, z] = [einsumNamed(workload, 'X'), einsumNamed(workload, 'Z')];
    expect([x.reducer, x.reduced.toArray()]).toEqual(['max', ['m', 'k']]);
    expect(z.reduced.size).toBe(0);
    expect((z.expression as Operation).operator).toBe('max');
  });

  it('reads affine indices', () => {
    const workload = aWorkload('Z[m] = A[2*m+k+1] * B[k]', { inputs: 'A[2*m+k+1] B[k]', output: 'Z[m]' });
    const read = (einsumNamed(workload, 'Z').expression as Operation).operands.get(0) as Access;
    const index = read.indices.get(0)!;
    expect([index.terms.toObject(), index.constant]).toEqual([{ m: 2, k: 1 }, 1]);
    expect(workload.tensors.get('A')!.shape.toArray()).toEqual([2 * 3 + 1 + 1 + 1]);
  });

  it('reads iterative ranks, first values and final iterates', () => {
    const workload = aWorkload('R[m+1,n] = R[m,n] + A[m,n]  from R[0,n] = -inf\nZ[n] = R[M,n]', {
      inputs: 'A[m,n]',
      output: 'Z[n]',
    });
    const r = einsumNamed(workload, 'R');
    expect([r.iterative, r.initial]).toEqual(['m', -Infinity]);
    expect(r.output.indices.get(0)!.constant).toBe(1);
    expect(workload.tensors.get('R')!.shape.toArray()).toEqual([5, 3]);
    const final = einsumNamed(workload, 'Z').expression as Access;
    expect(is(final.indices.get(0), new Index({ final: 'M' }))).toBe(true);
  });

  it('skips comments and empty lines of a cascade', () => {
    expect(einsumsOf(aWorkload(`# a product\n\n${matmul}  # of matrices\n`)).length).toBe(1);
  });

  it('prints an einsum as text that reads back to the same einsum', () => {
    const inputs = 'A[m,n]  B[m,k]  C[n+k]  S[]';
    const operand = fc.constantFrom('A[m,n]', 'B[m,k]', 'C[n+k]', 'S[]');
    const { expression } = fc.letrec<{ expression: string; operation: string }>((tie) => ({
      expression: fc.oneof({ maxDepth: 4 }, operand, tie('operation')),
      operation: fc.oneof(
        fc
          .tuple(tie('expression'), fc.constantFrom('+', '-', '*', '/'), tie('expression'))
          .map(([a, o, b]) => `(${a}) ${o} (${b})`),
        fc
          .tuple(fc.constantFrom('max', 'min'), tie('expression'), tie('expression'))
          .map(([f, a, b]) => `${f}(${a}, ${b})`),
        fc.tuple(fc.constantFrom('-', 'exp', 'erf', 'relu'), tie('expression')).map(([f, a]) => `${f}(${a})`),
        fc
          .tuple(tie('expression'), fc.constantFrom('2', '-0.5', '1e-5', 'inf', '-inf'))
          .map(([a, x]) => `(${a}) * ${x}`),
        fc.tuple(fc.constantFrom('3', '-1e30'), tie('expression')).map(([x, a]) => `${x} - (${a})`),
      ),
    }));
    const kinds = fc.constantFrom(['Z[m]', 'sum'], ['Z[n,m]', 'max'], ['Z', 'min'], ['Z[m+1,n]', 'product']);
    fc.assert(
      fc.property(expression, kinds, (right, [left, reducer]) => {
        const reduced = ['m', 'n', 'k'].filter((v) => new RegExp(`\\b${v}\\b`).test(right) && !left!.includes(v));
        const reduction = reduced.length > 0 ? `${reducer}(${reduced.join(', ')}) ` : '';
        const from = left!.includes('+1') ? ' from Z[0,n] = -1.5' : '';
        const load = (line: string) => aWorkload(line, { inputs, output: left! });
        const first = load(`${left} = ${reduction}${right}${from}`);
        const printed = einsumText(einsumNamed(first, 'Z'));
        expect(is(load(printed), first), printed).toBe(true);
      }),
      { seed: 1 },
    );
  });

  it('prints no parentheses that are not needed', () => {
    const lines = [
      'R[m+1] = max(R[m], A[m])  from R[0] = -inf',
      'X[m,n] = (A[m] - R[m+1]) * B[n] - (A[m] - B[n] / -2)',
      'Y[n] = max(m) -X[m,n] * -(X[m,n] + 1)',
      'Z[] = Y[n] + R[M]',
    ];
    const workload = aWorkload(lines.join('\n'), { inputs: 'A[m] B[n]', output: 'Z[]' });
    expect(einsumsOf(workload).map(einsumText)).toEqual(lines);
  });
});

describe('a mistake in an einsum', () => {
  it.each([
    ['Z[m,n = A[m,k] * B[k,n]', '6:9 [=] "=" stands where "," or "]" is expected'],
    ['Z[m,n] = A[m,k] *', '6:20 [] the line ends where a tensor, a number or a function is expected'],
    ['Z[m,n] = A[m,k] B[k,n]', '6:19 [B] "B" stands where an operator or the end of the line is expected'],
    ['Z[m,n] = (A[m,k] * B[k,n]', '6:28 [] the line ends where an operator or ")" is expected'],
    ['Z[m,n] = A[m,k] $ B[k,n]', '6:19 [$] "$" has no meaning here; remove it'],
    ['Z[m,n] = epx(A[m,k]) * B[k,n]', '6:12 [epx] "epx" is no function; did you mean "exp"?'],
    ['Z[m,n] = exp(A[m,k], B[k,n])', '6:12 [exp] exp takes 1 operand, not 2'],
    ['Z[m,n] = max(A[m,k])', '6:12 [max] max takes 2 operands, not 1'],
    ['Z[m,n] = maxx(k) A[m,k] * B[k,n]', '6:12 [maxx] "maxx" is no reduction; did you mean "max"?'],
    [
      'Z[m,n] = B[k,n] * max(k) A[m,k]',
      '6:21 [max] a reduction inside an expression; a reduction applies to all that stands right of "="; give this one a line of its own',
    ],
    ['Z[m,n] = A[m,k] * k', '6:21 [k] "k" has no value; write K for the extent of the rank'],
    ['Z[m,n] = A[m,2k] * B[k,n]', '6:17 [k] "k" stands where "," or "]" is expected'],
    ['Z[m,n] = A[m,1.5*k] * B[k,n]', '6:16 [1.5] "1.5" is no whole number; indices are whole'],
    ['z[m,n] = A[m,k] * B[k,n]', '6:3 [z] "z" is no name of a tensor; tensors begin in upper case: Z'],
    ['Z[m,n] = sum(n) A[m,k] * B[k,n]', '6:16 [n] n is not reduced: Z has it; k can be reduced'],
    ['Z[m,n] = sum(p) A[m,k] * B[k,n]', '6:16 [p] p is not on the right; k can be reduced'],
    ['Z[m] = product(k) A[m,k] * B[k,n]', '6:10 [product] n is reduced too, as Z lacks it; write product(k, n)'],
    ['Z[m,n] = A[m,k] * BB[k,n]', '6:21 [BB] there is no tensor "BB"; did you mean "B"?'],
    ['Z[m,n] = A[m,k] * B[k,n] + Q', '6:30 [Q] there is no tensor "Q"; one of A, B, Z, M, N, K'],
    ['Z[m,n] = A[m,k] * B[n]', '6:21 [B[n]] B has 1 index here, but 2 in line 3; it is B[k,n]'],
    ['Z[m,n] = A[m,k] * B[k,m]', '6:25 [m] m has extent 4, but B has 3 there; it is B[k,n]'],
    [
      'Z[m,n] = A[m,k+1] * B[k,n]',
      '6:16 [k+1] k+1 reaches 2, but A ends at 1 there; it is A[m,k]; write "padded: A" if zeros surround it',
    ],
    [
      'Z[m,n] = A[m,k-1] * B[k,n]',
      '6:16 [k-1] k-1 begins at -1; indices of A begin at 0; write "padded: A" if zeros surround it',
    ],
    [
      'Z[m,n] = A[m,K] * B[k,n]',
      '6:16 [K] K in upper case is the final iterate, but A does not iterate over it here; it is A[m,k]',
    ],
    ['Z[m,n] = A[m,q] * B[k,n]', '6:16 [q] there is no rank "Q"; give it an extent under "ranks"'],
    [
      'Z[2*m,n] = A[m,k] * B[k,n]',
      '6:5 [2*m] 2*m is no index of an output; write a rank such as m, or m+1 for the next iterate over m',
    ],
    ['Z[m,m] = A[m,k]', '6:7 [m] m stands twice in an output; give each dimension its own rank'],
    [
      'Z[m+1,n] = A[m,k] * B[k,n]',
      '6:5 [m+1] Z iterates over m but has no first value; end the line with: from Z[0,n] = 0',
    ],
    ['Z[m+1,n] = A[m,k] * B[k,n] from Z[n,0] = 1', '6:35 [Z[n,0]] this is not the first value of Z; write Z[0,n]'],
    [
      'Z[m,n] = A[m,k] * B[k,n] from Z[0,n] = 1',
      '6:33 [Z[0,n]] Z has a first value, but no iterative rank; the output of an iterative einsum is indexed by m+1, m its iterative rank',
    ],
    [
      'Z[m,n] = A[m,k] * B[k,n]\nA[m,k] = Z[m,n]',
      '7:3 [A] A is an input already, in line 3; give this one another name',
    ],
    [`${matmul}\n${matmul}`, '7:3 [Z] Z is produced already, in line 6; give this one another name'],
    [
      'Z[m,n] = X[m] * B[k,n]\nX[m] = A[m,k]',
      '6:12 [X] X is read before line 7 produces it; move this line below that one',
    ],
    [
      'Z[m,n] = Z[m,n] * B[k,n]',
      '6:12 [Z] Z is read where it is produced; only an iterative rank allows that: m+1 on the left',
    ],
  ])('%s', (line, mistake) => {
    // An output that is wrong as well is not the point here.
    expect(mistakesOf(line).filter((found) => !found.startsWith('4:'))).toEqual([mistake]);
  });

  it.each([
    [
      'R[m+1] = R[m+1] + A[m] from R[0] = 0\nZ[] = R[M]',
      '6:14 [m+1] R at m+1 is read before it is produced; before that, only the iterate m is known',
    ],
    [
      'S[] = R[m]\nR[m+1] = R[m] + A[m] from R[0] = 0\nZ[] = R[M] + S[]',
      '6:11 [m] m cannot be reduced while R iterates over it',
    ],
    [
      'X[m] = R[m]\nY[] = X[m]\nR[m+1] = X[m] + Y[] from R[0] = 0\nZ[] = R[M]',
      '7:3 [Y] Y is part of a recurrence over m, but has no iterate of its own for each m; index it by m, or leave it out of the recurrence',
    ],
    [
      'X[m] = R[m]\nY[m] = X[n]\nR[m+1] = X[m] + Y[m] from R[0] = 0\nZ[] = R[M]',
      '7:3 [Y] Y reads iterates of X that are not known while m iterates; read X at m',
    ],
  ])('in a recurrence: %s', (cascade, mistake) => {
    expect(mistakesOf(cascade, { ranks: 'M: 3, N: 3', inputs: 'A[m]', output: 'Z[]' })).toEqual([mistake]);
  });

  it('is found once, and with all the others', () => {
    const found = mistakesOf(
      ['X[m,n] = A[m,k] * B[k,n', 'Y[m,q] = X[m,q] + AA[m]', 'W[m] = B[m]', 'Z[m] = Y[m,q]'].join('\n'),
    );
    expect(found).toEqual([
      '4:9 [Z[m,n]] Z is not what line 9 produces; write Z[m]',
      '6:26 [] the line ends where "," or "]" is expected',
      '7:7 [q] there is no rank "Q", here and in 1 other line; give it an extent under "ranks"',
      '7:21 [AA] there is no tensor "AA"; did you mean "A"?',
      '8:10 [B[m]] B has 1 index here, but 2 in line 3; it is B[k,n]',
    ]);
  });
});
