/** Reads one workload file: what is written in it, with places, before names are looked up. */
import { type Diagnostic, InputError, type Place } from '../../arch/language/diagnostics.ts';
import type { Tree } from '../../arch/language/layers.ts';
import { diagnose, type Path, type Source } from '../../arch/language/source.ts';
import { parseCount, UnitError } from '../../arch/language/units.ts';
import { parseArithmetic, parseCascade, parseNames, parseSparsity, parseTensors } from './einsum.ts';
import { type StepInput, type WorkloadInput, workloadSchema } from './schema.ts';
import type {
  CascadeStepSyntax,
  ExpressionSyntax,
  ExtentSyntax,
  PaddedSyntax,
  SparseSyntax,
  SplitSyntax,
  TensorSyntax,
} from './syntax.ts';

/** What a rank or tensor of a used workload is called in the using one. */
export interface Renaming {
  readonly to: string;
  /** Places of the old and the new name. */
  readonly key: Place;
  readonly at: Place;
}

export interface UseStepSyntax {
  readonly name: string;
  readonly repeat: number;
  /** Name or file of the used workload. */
  readonly use: string;
  readonly at: Place;
  readonly ranks: ReadonlyMap<string, Renaming>;
  readonly tensors: ReadonlyMap<string, Renaming>;
}

/** A workload file in which `S` is what a step may be. */
export interface Declaration<S = CascadeStepSyntax | UseStepSyntax> {
  readonly name: string;
  readonly about: string;
  readonly source: string;
  readonly dtype: string;
  readonly extents: ReadonlyMap<string, ExtentSyntax>;
  readonly splits: ReadonlyMap<string, SplitSyntax>;
  /** Weights included. */
  readonly inputs: readonly TensorSyntax[];
  /** Inputs of which every step that uses the workload has its own. */
  readonly weights: ReadonlySet<string>;
  readonly outputs: readonly TensorSyntax[];
  readonly padded: readonly PaddedSyntax[];
  readonly sparse: readonly SparseSyntax[];
  readonly steps: readonly S[];
  /** Tensors whose einsums could not be read. */
  readonly broken: ReadonlySet<string>;
}

/** Mistakes are added to `mistakes`. @throws InputError with all of them when too little of the file makes sense to go on. */
export function readDeclaration(source: Source, mistakes: Diagnostic[]): Declaration {
  return new Reader(source, mistakes).declaration();
}

class Reader {
  readonly #source: Source;
  readonly #mistakes: Diagnostic[];
  readonly #broken = new Set<string>();

  constructor(source: Source, mistakes: Diagnostic[]) {
    this.#source = source;
    this.#mistakes = mistakes;
  }

  declaration(): Declaration {
    const input = this.#input();
    const parameters = this.#extents('parameters', 'parameter', input.parameters ?? {});
    const ranks = this.#extents('ranks', 'rank', input.ranks);
    for (const [name] of ranks.filter(([name]) => parameters.some(([other]) => other === name))) {
      this.#mistakes.push({
        message: `${name} is a parameter already`,
        place: this.#source.placeOfKey(['ranks', name]),
      });
    }
    const outputs = this.#tensors('output', input.output);
    const weights = this.#tensors('weights', input.weights ?? '');
    return {
      name: input.workload,
      about: input.about ?? '',
      source: input.source ?? '',
      dtype: input.dtype ?? 'bf16',
      extents: new Map([...parameters, ...ranks]),
      splits: new Map(Object.entries(input.split ?? {}).map(([rank, parts]) => [rank, this.#split(rank, parts)])),
      inputs: [...this.#tensors('inputs', input.inputs), ...weights],
      weights: new Set(weights.map(({ access }) => access.tensor)),
      outputs,
      padded: parseNames(input.padded ?? '', this.#in(['padded']), this.#mistakes),
      sparse: Object.entries(input.sparse ?? {}).flatMap(([tensor, text]) => this.#sparse(tensor, text) ?? []),
      steps: this.#steps(input, outputs),
      broken: this.#broken,
    };
  }

  /** The file's values. Keys that it can do without are left out after a mistake, so that the rest is still checked. */
  #input(): WorkloadInput {
    const value = this.#source.value();
    const first = workloadSchema.safeParse(value);
    if (first.success) return first.data;
    const { issues } = first.error;
    this.#mistakes.push(...diagnose(issues, value, this.#source, [], workloadSchema));
    for (const issue of issues) {
      if (issue.code !== 'unrecognized_keys') {
        if (['about', 'source', 'dtype'].includes(String(issue.path[0]))) delete (value as Tree)[String(issue.path[0])];
        continue;
      }
      const parent = issue.path.reduce<unknown>((v, key) => (v as Record<PropertyKey, unknown>)[key], value);
      for (const key of issue.keys) delete (parent as Record<string, unknown>)[key];
    }
    const second = workloadSchema.safeParse(value);
    if (!second.success) throw new InputError(this.#mistakes);
    return second.data;
  }

  #tensors(key: 'inputs' | 'weights' | 'output', text: string): TensorSyntax[] {
    const known = this.#mistakes.length;
    const tensors = parseTensors(text, this.#in([key]), this.#mistakes);
    // Where one cannot be read, none is missed elsewhere.
    if (this.#mistakes.length > known) for (const [name] of text.matchAll(/[A-Z]\w*/g)) this.#broken.add(name);
    return tensors;
  }

  #sparse(tensor: string, text: string): SparseSyntax | null {
    const path = ['sparse', tensor];
    return parseSparsity(tensor, this.#source.placeOfKey(path), text, this.#in(path), this.#mistakes);
  }

  #extents(
    key: 'ranks' | 'parameters',
    kind: ExtentSyntax['kind'],
    values: { readonly [name: string]: number | string },
  ): [string, ExtentSyntax][] {
    return Object.entries(values).map(([name, written]) => {
      const meant = /^[A-Za-z]\w*$/.test(name) ? name.toUpperCase().replaceAll('_', '') : null;
      if (meant !== name) {
        const hint = `ranks are in upper case, such as ${meant ?? 'M'}`;
        this.#mistakes.push({
          message: `"${name}" is no name of a ${kind}`,
          place: this.#source.placeOfKey([key, name]),
          hint,
        });
      }
      const value = this.#extent(written, [key, name], 0);
      // By the name that was meant, so that it is not missed as well.
      return [meant ?? name, { kind, value, text: String(written), at: this.#source.placeOf([key, name]) }];
    });
  }

  /** A count such as `1 Ki`, or arithmetic; `from` is where it begins in the text at `path`. */
  #extent(written: number | string, path: Path, from: number): ExpressionSyntax {
    const unknown: ExpressionSyntax = { kind: 'literal', value: Number.NaN };
    if (typeof written === 'number') return { kind: 'literal', value: written };
    if (!/^\s*[\d.]+\s*[A-Za-z]+\s*$/.test(written)) {
      return parseArithmetic(written, this.#in(path, from), this.#mistakes) ?? unknown;
    }
    try {
      return { kind: 'literal', value: parseCount(written) };
    } catch (error) {
      if (!(error instanceof UnitError)) throw error;
      const message = error.about(String(path[1]));
      this.#mistakes.push({ message, place: this.#source.placeIn(path, from, written.length), hint: error.hint });
      return unknown;
    }
  }

  #split(rank: string, written: readonly string[]): SplitSyntax {
    const parts = written.map((text, i) => {
      const path = ['split', rank, i];
      const at = this.#source.placeOf(path);
      const [, name = text, gap = '', size] = /^([A-Z][A-Z0-9]*)(\s*)(.*)$/.exec(text) ?? [];
      if (size === undefined) {
        this.#mistakes.push({ message: `"${text}" is no part of a rank`, place: at, hint: `such as "${rank}0 256"` });
      } else if (i === 0 && size !== '') {
        const message = `the extent of ${name}, the outermost part, follows from ${rank} and the other parts`;
        this.#mistakes.push({ message, place: at, hint: `write "${name}"` });
      } else if (i > 0 && size === '') {
        this.#mistakes.push({ message: `${name} needs a size`, place: at, hint: `such as "${name} 256"` });
      }
      return { name, size: size && i > 0 ? this.#extent(size, path, name.length + gap.length) : null, at };
    });
    return { parts, at: this.#source.placeOfKey(['split', rank]) };
  }

  #steps(input: WorkloadInput, outputs: readonly TensorSyntax[]): (CascadeStepSyntax | UseStepSyntax)[] {
    const { cascade, graph, workload } = input;
    if (cascade !== undefined && graph === undefined) {
      return [{ name: workload, repeat: 1, einsums: this.#cascade(cascade, ['cascade']) }];
    }
    if (graph === undefined || cascade !== undefined) {
      const message = cascade === undefined ? 'nothing is computed' : '"graph" stands beside "cascade"';
      const place = cascade === undefined ? this.#source.placeOf([]) : this.#source.placeOfKey(['graph']);
      this.#mistakes.push({ message, place, hint: 'write either a cascade of einsums or a graph of steps' });
      for (const { access } of outputs) this.#broken.add(access.tensor);
      return [];
    }
    const names = new Set<string>();
    return graph.flatMap((step, i) => {
      if (names.has(step.step)) {
        const place = this.#source.placeOf(['graph', i, 'step']);
        this.#mistakes.push({
          message: `there is a step "${step.step}" already`,
          place,
          hint: 'give each its own name',
        });
      }
      names.add(step.step);
      return this.#step(step, ['graph', i]);
    });
  }

  #step(step: StepInput, path: Path): (CascadeStepSyntax | UseStepSyntax)[] {
    const { cascade, use } = step;
    const common = { name: step.step, repeat: step.repeat ?? 1 };
    if ((cascade === undefined) === (use === undefined)) {
      const message = `step "${step.step}" has ${use === undefined ? 'neither' : 'both'} "cascade" ${use === undefined ? 'nor' : 'and'} "use"`;
      this.#mistakes.push({ message, place: this.#source.placeOf([...path, 'step']), hint: 'give it one of them' });
      return [];
    }
    if (use === undefined) {
      if (step.with) {
        const place = this.#source.placeOfKey([...path, 'with']);
        this.#mistakes.push({
          message: '"with" stands without "use"',
          place,
          hint: 'names in a cascade need no renaming',
        });
      }
      return [{ ...common, einsums: this.#cascade(cascade!, [...path, 'cascade']) }];
    }
    const renamings = (key: 'ranks' | 'tensors'): Map<string, Renaming> =>
      new Map(
        Object.entries(step.with?.[key] ?? {}).map(([name, to]) => {
          const here = [...path, 'with', key, name];
          return [name, { to, key: this.#source.placeOfKey(here), at: this.#source.placeOf(here) }];
        }),
      );
    const at = this.#source.placeOf([...path, 'use']);
    return [{ ...common, use, at, ranks: renamings('ranks'), tensors: renamings('tensors') }];
  }

  #cascade(text: string, path: Path): CascadeStepSyntax['einsums'] {
    const { einsums, broken, mistakes } = parseCascade(text, this.#in(path));
    if (mistakes.length > 0 && this.#source.runsTogether(path)) {
      const place = this.#source.placeOfKey(path);
      const hint = 'write "cascade: |" to keep the lines apart';
      this.#mistakes.push({ message: 'the lines of this cascade run together', place, hint });
      for (const [, tensor] of text.matchAll(/([A-Z]\w*)(?:\[[^\]]*\])?\s*=/g)) this.#broken.add(tensor!);
      return [];
    }
    for (const tensor of broken) this.#broken.add(tensor);
    this.#mistakes.push(...mistakes);
    return einsums;
  }

  /** Places within the text at a path, of which `from` characters are skipped. */
  #in(path: Path, from = 0): (offset: number, length: number) => Place {
    return (offset, length) => this.#source.placeIn(path, from + offset, length);
  }
}
