/** Looks up every name of a cascade and checks every index, so that what is built from it can be trusted. */
import { type Diagnostic, nearest, type Place, suggest } from '../../arch/language/diagnostics.ts';
import { dtypes } from '../../arch/language/units.ts';
import type { FlatDeclaration } from './graph.ts';
import { reducerName } from './operators.ts';
import type { Extents } from './ranks.ts';
import { sparsityMistakes } from './sparsity.ts';
import {
  type AccessSyntax,
  accessesIn,
  accessText,
  type EinsumSyntax,
  type ExpressionSyntax,
  type IndexSyntax,
  indexText,
  type TensorSyntax,
} from './syntax.ts';
import { align, misfit, plainVariable, rangeOf, rankOf, type Shaped, shapeOf } from './tensors.ts';

export interface CheckedEinsum {
  readonly output: AccessSyntax;
  readonly expression: ExpressionSyntax;
  readonly reduction: EinsumSyntax['reduction'];
  /** Variables that the output lacks, in order of first use. */
  readonly reduced: readonly string[];
  readonly iterative: string | null;
  readonly initial: number | null;
  /** Indices of every access by dimension of its tensor. */
  readonly reads: ReadonlyMap<AccessSyntax, IndexSyntax[][]>;
}

export interface Checked {
  /** Inputs and produced tensors. */
  readonly tensors: ReadonlyMap<string, Shaped>;
  /** The einsums of each step; of no use when there were mistakes. */
  readonly steps: readonly (readonly CheckedEinsum[])[];
}

export function checkCascade(flat: FlatDeclaration, extents: Extents, mistakes: Diagnostic[]): Checked {
  return new Checker(flat, extents, mistakes).run();
}

interface Producer {
  readonly position: number;
  readonly iterative: string | null;
}

class Checker {
  readonly #flat: FlatDeclaration;
  readonly #extents: Extents;
  readonly #mistakes: Diagnostic[];
  readonly #padded: ReadonlySet<string>;
  readonly #tensors = new Map<string, Shaped>();
  readonly #producers = new Map<string, Producer>();
  /** Rank variables without a rank: where they are used first, and all lines that use them. */
  readonly #missing = new Map<string, { readonly at: Place; readonly lines: Set<string> }>();

  constructor(flat: FlatDeclaration, extents: Extents, mistakes: Diagnostic[]) {
    this.#flat = flat;
    this.#extents = extents;
    this.#mistakes = mistakes;
    this.#padded = new Set(flat.padded.map(({ tensor }) => tensor));
  }

  run(): Checked {
    for (const input of this.#flat.inputs) this.#declare(input);
    this.#flat.steps
      .flatMap((step) => step.einsums)
      .forEach((einsum, position) => {
        this.#produce(einsum, position);
      });
    let position = 0;
    const steps = this.#flat.steps.map((step) => step.einsums.map((einsum) => this.#einsum(einsum, position++)));
    for (const output of this.#flat.outputs) this.#result(output);
    this.#checkProperties();
    this.#reportMissing();
    return { tensors: this.#tensors, steps };
  }

  #declare({ access, dtype }: TensorSyntax): void {
    this.#checkDtype(dtype);
    this.#checkVariables(access);
    for (const index of access.indices) {
      const { least } = rangeOf(index, this.#extents);
      if (index.final !== null) {
        this.#report(`${index.final} is no index of an input`, index.at, `write ${index.final.toLowerCase()}`);
      } else if (least < 0) {
        const { tensor } = access;
        const hint = `indices begin at 0; declare ${tensor} on ranks of its own and write "padded: ${tensor}" if zeros surround it`;
        this.#report(`${indexText(index)} begins at ${least}`, index.at, hint);
      }
    }
    this.#add(access, null);
  }

  /** What the einsum puts out, so that einsums before and after can be checked against it. */
  #produce({ output, from }: EinsumSyntax, position: number): void {
    const seen = new Set<string>();
    let iterative: string | null = null;
    for (const index of output.indices) {
      const [variable] = index.terms.keys();
      const plain = plainVariable({ ...index, constant: 0 });
      if (variable === undefined || plain === null || index.constant < 0 || index.constant > 1) {
        const hint = 'write a rank such as m, or m+1 for the next iterate over m';
        this.#report(`${indexText(index)} is no index of an output`, index.at, hint);
      } else if (seen.has(variable)) {
        this.#report(`${variable} stands twice in an output`, index.at, 'give each dimension its own rank');
      } else if (index.constant === 1 && iterative !== null) {
        this.#report(`${output.tensor} iterates over ${iterative} already`, index.at, `write ${variable}`);
      } else if (index.constant === 1) {
        iterative = variable;
        this.#checkFirst(output, from, index, variable);
      }
      if (variable !== undefined) seen.add(variable);
    }
    if (from && iterative === null) {
      const hint = 'the output of an iterative einsum is indexed by m+1, m its iterative rank';
      this.#report(`${output.tensor} has a first value, but no iterative rank`, from.access.whole, hint);
    }
    if (output.whole.length === output.at.length && this.#extents.values.has(output.tensor)) {
      this.#report(
        `${output.tensor} is a rank or parameter`,
        output.at,
        `write ${output.tensor}[] for a tensor of one value`,
      );
    }
    if (this.#add(output, iterative)) this.#producers.set(output.tensor, { position, iterative });
  }

  #checkFirst(output: AccessSyntax, from: EinsumSyntax['from'], index: IndexSyntax, variable: string): void {
    const zero: IndexSyntax = { terms: new Map(), factors: [], constant: 0, final: null, at: index.at };
    const first = accessText({ ...output, indices: output.indices.map((other) => (other === index ? zero : other)) });
    if (!from) {
      this.#report(
        `${output.tensor} iterates over ${variable} but has no first value`,
        index.at,
        `end the line with: from ${first} = 0`,
      );
    } else if (accessText(from.access) !== first) {
      this.#report(`this is not the first value of ${output.tensor}`, from.access.whole, `write ${first}`);
    }
  }

  #add(access: AccessSyntax, iterative: string | null): boolean {
    const earlier = this.#tensors.get(access.tensor);
    if (earlier) {
      const how = this.#producers.has(access.tensor) ? 'produced' : 'an input';
      this.#report(
        `${access.tensor} is ${how} already, in ${where(earlier.at, access.at)}`,
        access.at,
        'give this one another name',
      );
      return false;
    }
    this.#tensors.set(access.tensor, shapeOf(access, iterative, this.#extents));
    return true;
  }

  #einsum({ output, reduction, expression, from }: EinsumSyntax, position: number): CheckedEinsum {
    const resolved = this.#scalars(expression);
    const accesses = accessesIn(resolved);
    this.#checkVariables(output, ...accesses);
    const kept = new Set(output.indices.flatMap((index) => [...index.terms.keys()]));
    const reads = new Map<AccessSyntax, IndexSyntax[][]>();
    for (const access of accesses) {
      const groups = this.#read(access);
      if (groups) reads.set(access, groups);
      this.#checkOrder(access, groups, position, kept);
    }
    const used = new Set(accesses.flatMap((access) => access.indices.flatMap((index) => [...index.terms.keys()])));
    const reduced = [...used].filter((variable) => !kept.has(variable));
    if (reduction) this.#checkReduction(reduction, output, kept, reduced);
    const iterative = this.#producers.get(output.tensor)?.iterative ?? null;
    return { output, expression: resolved, reduction, reduced, iterative, initial: from?.value ?? null, reads };
  }

  /** Bare names that are neither ranks nor parameters as accesses to tensors of one value. */
  #scalars(expression: ExpressionSyntax): ExpressionSyntax {
    if (expression.kind === 'operation') {
      return { ...expression, operands: expression.operands.map((operand) => this.#scalars(operand)) };
    }
    if (expression.kind !== 'name' || this.#extents.values.has(expression.name)) return expression;
    return { kind: 'access', tensor: expression.name, indices: [], at: expression.at, whole: expression.at };
  }

  /** The access by dimensions; null, and a mistake, when it does not fit its tensor. */
  #read(access: AccessSyntax): IndexSyntax[][] | null {
    const tensor = this.#tensors.get(access.tensor);
    if (!tensor) {
      const names = [...this.#tensors.keys(), ...(access.indices.length === 0 ? this.#extents.values.keys() : [])];
      if (!this.#flat.broken.has(access.tensor)) {
        this.#report(`there is no tensor "${access.tensor}"`, access.at, suggest(access.tensor, names));
      }
      return null;
    }
    const groups = align(access.indices, tensor, this.#extents.split);
    // Parts of a rank stand for one dimension only when they are known.
    if (!groups && this.#unknown(access).length > 0) return null;
    if (!groups) {
      const found = access.indices.length;
      const message = `${access.tensor} has ${found} ${found === 1 ? 'index' : 'indices'} here, but ${tensor.dimensions.length} in ${where(tensor.at, access.at)}`;
      this.#report(message, access.whole, `it is ${tensor.text}`);
      return null;
    }
    groups.forEach((group, d) => {
      const problem = misfit(group, tensor.dimensions[d]!, tensor, this.#padded.has(tensor.name), this.#extents);
      if (problem) this.#mistakes.push(problem);
    });
    return groups;
  }

  /** What is read must be there: made further up, or the earlier iterate of what is made here or further down. */
  #checkOrder(access: AccessSyntax, groups: IndexSyntax[][] | null, position: number, kept: ReadonlySet<string>): void {
    const producer = this.#producers.get(access.tensor);
    if (!producer || producer.position < position) return;
    const own = producer.position === position;
    const { iterative } = producer;
    const dimension = this.#tensors.get(access.tensor)!.dimensions.findIndex((d) => d.iterative !== null);
    const index = groups?.[dimension]?.[0];
    if (iterative === null || !index) {
      const line = where(this.#tensors.get(access.tensor)!.at, access.at);
      const message = own
        ? `${access.tensor} is read where it is produced`
        : `${access.tensor} is read before ${line} produces it`;
      this.#report(
        message,
        access.at,
        own ? 'only an iterative rank allows that: m+1 on the left' : 'move this line below that one',
      );
    } else if (plainVariable(index) !== iterative) {
      const hint = `before that, only the iterate ${iterative} is known`;
      this.#report(`${access.tensor} at ${indexText(index)} is read before it is produced`, index.at, hint);
    } else if (!kept.has(iterative)) {
      this.#report(`${iterative} cannot be reduced while ${access.tensor} iterates over it`, index.at);
    }
  }

  #checkReduction(
    { reducer, variables, at }: NonNullable<EinsumSyntax['reduction']>,
    output: AccessSyntax,
    kept: ReadonlySet<string>,
    reduced: readonly string[],
  ): void {
    const others = variables.filter(({ name }) => !reduced.includes(name));
    for (const { name, at: place } of others) {
      const message = kept.has(name)
        ? `${name} is not reduced: ${output.tensor} has it`
        : `${name} is not on the right`;
      this.#report(
        message,
        place,
        reduced.length > 0 ? `${reduced.join(', ')} can be reduced` : 'nothing is reduced here',
      );
    }
    if (others.length > 0) return;
    const missing = reduced.filter((variable) => !variables.some(({ name }) => name === variable));
    if (missing.length > 0) {
      this.#report(
        `${missing.join(', ')} is reduced too, as ${output.tensor} lacks it`,
        at,
        `write ${reducerName(reducer)}(${reduced.join(', ')})`,
      );
    }
  }

  #result({ access, dtype }: TensorSyntax): void {
    this.#checkDtype(dtype);
    const tensor = this.#tensors.get(access.tensor);
    if (!this.#producers.has(access.tensor)) {
      if (this.#flat.broken.has(access.tensor)) return;
      const message = tensor ? `${access.tensor} is an input, not an output` : `no einsum produces "${access.tensor}"`;
      this.#report(message, access.at, suggest(access.tensor, this.#producers.keys()));
    } else if (tensor!.text !== accessText(access)) {
      this.#report(
        `${access.tensor} is not what ${where(tensor!.at, access.at)} produces`,
        access.whole,
        `write ${tensor!.text}`,
      );
    }
  }

  /** What is said of tensors beside their declarations. */
  #checkProperties(): void {
    const { padded, sparse, inputs, broken } = this.#flat;
    for (const { tensor, at } of padded) {
      if (this.#tensors.has(tensor) || broken.has(tensor)) continue;
      this.#report(`there is no tensor "${tensor}" to pad`, at, suggest(tensor, this.#tensors.keys()));
    }
    const known = sparse.filter(({ tensor }) => !broken.has(tensor));
    const given = new Set(inputs.map(({ access }) => access.tensor));
    this.#mistakes.push(...sparsityMistakes(known, this.#tensors, given, this.#extents));
  }

  #checkDtype(dtype: TensorSyntax['dtype']): void {
    if (dtype && !dtypes.includes(dtype.name)) {
      this.#report(`"${dtype.name}" is no data type`, dtype.at, suggest(dtype.name, dtypes));
    }
  }

  /** Rank variables of an access that have no rank, and where they stand. */
  #unknown(access: AccessSyntax): { variable: string; at: Place }[] {
    return access.indices.flatMap(({ terms, final, at }) =>
      [...terms.keys(), ...(final === null ? [] : [final.toLowerCase()])]
        .filter((variable) => !this.#extents.ranks.has(rankOf(variable)))
        .map((variable) => ({ variable, at })),
    );
  }

  /** Every rank variable needs a rank with an extent. */
  #checkVariables(...accesses: readonly AccessSyntax[]): void {
    for (const { variable, at } of accesses.flatMap((access) => this.#unknown(access))) {
      const { lines } = this.#missing.get(variable) ?? { lines: new Set() };
      if (lines.size === 0) this.#missing.set(variable, { at, lines });
      lines.add(`${at.file}:${at.line}`);
    }
  }

  /** A rank that is missing is told where it is first used. */
  #reportMissing(): void {
    for (const [variable, { at, lines }] of this.#missing) {
      const others = lines.size - 1;
      const elsewhere = others === 0 ? '' : `, here and in ${others === 1 ? '1 other line' : `${others} other lines`}`;
      this.#report(`there is no rank "${rankOf(variable)}"${elsewhere}`, at, this.#rankHint(variable));
    }
  }

  #rankHint(variable: string): string {
    const { ranks, split } = this.#extents;
    const whole = rankOf(variable.replace(/\d+$/, ''));
    if (whole !== rankOf(variable) && ranks.has(whole) && !split.has(whole)) {
      return `cut ${whole} into parts: split: { ${whole}: [${whole}1, ${whole}0 256] }`;
    }
    const near = nearest(
      variable,
      [...ranks.keys()].map((name) => name.toLowerCase()),
    );
    return near === undefined ? 'give it an extent under "ranks"' : `did you mean "${near}"?`;
  }

  #report(message: string, place: Diagnostic['place'], hint?: string): void {
    this.#mistakes.push({ message, place, hint });
  }
}

/** A line as seen from another one. */
function where(line: Place, from: Place): string {
  return line.file === from.file ? `line ${line.line}` : `${line.file}:${line.line}`;
}
