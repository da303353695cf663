/** Short workloads for tests. */
import { InputError } from '../../arch/language/diagnostics.ts';
import { type LoadOptions, parseWorkload } from '../../workloads/language/load.ts';
import { type Einsum, einsumsOf, type Workload } from '../../workloads/language/workload.ts';

export interface Parts {
  readonly ranks?: string;
  readonly split?: string;
  readonly inputs?: string;
  readonly output?: string;
  readonly sparse?: string;
}

/** The text of a workload; the first line of its cascade is line 6, indented by two. */
export function textOf(cascade: string, { ranks, split, inputs, output, sparse }: Parts = {}): string {
  return [
    'workload: test',
    `ranks: { ${ranks ?? 'M: 4, N: 3, K: 2'} }`,
    `inputs: ${inputs ?? 'A[m,k]  B[k,n]'}`,
    `output: ${output ?? 'Z[m,n]'}`,
    'cascade: |',
    ...cascade.split('\n').map((line) => `  ${line}`),
    ...(split === undefined ? [] : [`split: { ${split} }`]),
    ...(sparse === undefined ? [] : [`sparse: { ${sparse} }`]),
  ].join('\n');
}

export function aWorkload(cascade: string, parts: Parts = {}, options: LoadOptions = {}): Workload {
  return parseWorkload(textOf(cascade, parts), 'test.yaml', options).workload;
}

export function einsumNamed(workload: Workload, name: string): Einsum {
  return einsumsOf(workload).find((einsum) => einsum.name === name)!;
}

/** Mistakes as `line:column marked text: message; hint`, without the text of a mistake that has no place. */
export function mistakesIn(load: () => unknown): string[] {
  try {
    load();
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return error.diagnostics.map(({ message, place, hint }) => {
      const marked = place?.text.slice(place.column - 1, place.column - 1 + place.length);
      return `${place ? `${place.line}:${place.column} [${marked}] ` : ''}${message}${hint ? `; ${hint}` : ''}`;
    });
  }
  return [];
}

export function mistakesOf(cascade: string, parts: Parts = {}, options: LoadOptions = {}): string[] {
  return mistakesIn(() => aWorkload(cascade, parts, options));
}
