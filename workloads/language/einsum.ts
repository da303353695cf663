/** Parser of the lines of a cascade: `RM[m1+1,p] = max(RM[m1,p], LM[m1,p])  from RM[0,p] = -inf`. */
import { type Diagnostic, type Place, suggest } from '../../arch/language/diagnostics.ts';
import { functions, reducers } from './operators.ts';
import type {
  AccessSyntax,
  EinsumSyntax,
  ExpressionSyntax,
  FactorSyntax,
  IndexSyntax,
  PaddedSyntax,
  ReductionSyntax,
  SparseSyntax,
  TensorSyntax,
} from './syntax.ts';
import { SyntaxMistake, type Token, tokenize } from './tokens.ts';
import type { Operator } from './workload.ts';

/** Where a part of the parsed text stands in its file. */
export type Locate = (offset: number, length: number) => Place;

export interface ParsedCascade {
  readonly einsums: readonly EinsumSyntax[];
  /** Tensors on the left of lines that are no einsums, so that their readers are not blamed as well. */
  readonly broken: ReadonlySet<string>;
  readonly mistakes: readonly Diagnostic[];
}

/** One einsum a line; empty lines and `#` comments are skipped. */
export function parseCascade(text: string, locate: Locate): ParsedCascade {
  const einsums: EinsumSyntax[] = [];
  const broken = new Set<string>();
  const mistakes: Diagnostic[] = [];
  let start = 0;
  for (const line of text.split('\n')) {
    const base = start;
    start += line.length + 1;
    if (line.replace(/#.*/, '').trim() === '') continue;
    const here: Locate = (offset, length) => locate(base + offset, length);
    const parsed = attempt(line, here, mistakes, (parser) => parser.einsum());
    if (parsed) einsums.push(parsed);
    else for (const tensor of meantNames(/^\s*([\w.]*)/.exec(line)![1]!)) broken.add(tensor);
  }
  return { einsums, broken, mistakes };
}

/** `Q[b,h,e,p]  K[b,h,e,m] int8`: tensors with or without a data type; commas between them may be left out. */
export function parseTensors(text: string, locate: Locate, mistakes: Diagnostic[]): TensorSyntax[] {
  return attempt(text, locate, mistakes, (parser) => parser.tensors()) ?? [];
}

/** `I X`: names of tensors; commas between them may be left out. */
export function parseNames(text: string, locate: Locate, mistakes: Diagnostic[]): PaddedSyntax[] {
  return attempt(text, locate, mistakes, (parser) => parser.names()) ?? [];
}

/** `2:4 along k`, said of a tensor whose name stands at `at`. Null when it is not. */
export function parseSparsity(
  tensor: string,
  at: Place,
  text: string,
  locate: Locate,
  mistakes: Diagnostic[],
): SparseSyntax | null {
  return attempt(text, locate, mistakes, (parser) => ({ tensor, at, dimension: null, ...parser.sparsity() }));
}

/** Arithmetic on names of ranks and parameters: `4 * D`. Null when it is not. */
export function parseArithmetic(text: string, locate: Locate, mistakes: Diagnostic[]): ExpressionSyntax | null {
  return attempt(text, locate, mistakes, (parser) => parser.arithmetic());
}

function attempt<T>(text: string, locate: Locate, mistakes: Diagnostic[], parse: (parser: Parser) => T): T | null {
  try {
    return parse(new Parser(text, locate));
  } catch (error) {
    if (!(error instanceof SyntaxMistake)) throw error;
    mistakes.push({ message: error.message, place: locate(error.offset, error.length), hint: error.hint });
    return null;
  }
}

/** A tensor's name as it stands, and as it may have been meant. */
function meantNames(name: string): string[] {
  return name === '' ? [] : [name, name.toUpperCase(), name[0]!.toUpperCase() + name.slice(1)];
}

const isVariable = (name: string): boolean => /^[a-z][a-z0-9]*$/.test(name);
const isRank = (name: string): boolean => /^[A-Z]\w*$/.test(name);
const isTensor = (name: string): boolean => /^([A-Za-z]\w*\.)*[A-Z]\w*$/.test(name);

const infix: { readonly [symbol: string]: Operator } = { '+': 'add', '-': 'sub', '*': 'mul', '/': 'divide' };

class Parser {
  readonly #tokens: readonly Token[];
  readonly #locate: Locate;
  #next = 0;

  constructor(text: string, locate: Locate) {
    this.#tokens = tokenize(text);
    this.#locate = locate;
  }

  einsum(): EinsumSyntax {
    const output = this.#access();
    this.#expect('=');
    const reduction = this.#reduction();
    const expression = this.#sum();
    let from: EinsumSyntax['from'] = null;
    if (this.#peek().text === 'from') {
      this.#take();
      const access = this.#access();
      this.#expect('=');
      from = { access, value: this.#constant() };
    }
    this.#end('an operator');
    return { output, reduction, expression, from };
  }

  tensors(): TensorSyntax[] {
    const tensors: TensorSyntax[] = [];
    while (this.#peek().kind !== 'end') {
      const access = this.#access();
      const colon = this.#takeIf(':');
      let dtype: TensorSyntax['dtype'] = null;
      if (colon || isVariable(this.#peek().text)) {
        const token = this.#peek();
        if (token.kind !== 'name') this.#fail('a data type');
        this.#take();
        dtype = { name: token.text, at: this.#place(token) };
      }
      tensors.push({ access, dtype });
      this.#takeIf(',');
    }
    return tensors;
  }

  names(): PaddedSyntax[] {
    const names: PaddedSyntax[] = [];
    while (this.#peek().kind !== 'end') {
      const token = this.#peek();
      if (!isTensor(token.text)) this.#fail('the name of a tensor');
      this.#take();
      names.push({ tensor: token.text, at: this.#place(token) });
      this.#takeIf(',');
    }
    return names;
  }

  sparsity(): Pick<SparseSyntax, 'kept' | 'of' | 'rank' | 'ratioAt' | 'rankAt'> {
    const first = this.#peek();
    if (first.kind !== 'number') this.#fail('a pattern such as "2:4 along k"');
    const kept = this.#whole('elements');
    this.#expect(':');
    const last = this.#peek();
    if (last.kind !== 'number') this.#fail('the number of elements of a block');
    const of = this.#whole('elements');
    this.#expect('along');
    const rank = this.#peek();
    if (!isVariable(rank.text)) this.#fail('a rank variable');
    this.#take();
    if (this.#peek().kind !== 'end') this.#fail('the end');
    const ratioAt = this.#locate(first.start, last.end - first.start);
    return { kept, of, rank: rank.text, ratioAt, rankAt: this.#place(rank) };
  }

  arithmetic(): ExpressionSyntax {
    const expression = this.#sum();
    this.#end('an operator');
    return expression;
  }

  /** `max(m0)` before an expression; `max(a, b)`, whose operands are no rank variables, is a function. */
  #reduction(): ReductionSyntax | null {
    const [head, open] = [this.#peek(), this.#peek(1)];
    if (head.kind !== 'name' || open.text !== '(' || !isVariable(this.#peek(2).text)) return null;
    const after = this.#peek(3).text;
    if (after !== ',' && after !== ')') return null;
    const reducer = reducers.get(head.text);
    if (reducer === undefined) {
      const message = `"${head.text}" is no reduction`;
      throw new SyntaxMistake(message, head.start, head.end - head.start, suggest(head.text, reducers.keys()));
    }
    this.#take();
    this.#take();
    const variables: { name: string; at: Place }[] = [];
    do {
      const token = this.#peek();
      if (!isVariable(token.text)) this.#fail('a rank variable');
      this.#take();
      variables.push({ name: token.text, at: this.#place(token) });
    } while (this.#takeIf(','));
    this.#expect(')');
    return { reducer, variables, at: this.#place(head) };
  }

  #sum(): ExpressionSyntax {
    return this.#chain(['+', '-'], () => this.#chain(['*', '/'], () => this.#unary()));
  }

  #chain(symbols: readonly string[], operand: () => ExpressionSyntax): ExpressionSyntax {
    let left = operand();
    while (symbols.includes(this.#peek().text)) {
      const operator = infix[this.#take().text]!;
      left = { kind: 'operation', operator, operands: [left, operand()] };
    }
    return left;
  }

  #unary(): ExpressionSyntax {
    if (!this.#takeIf('-')) return this.#primary();
    const next = this.#peek();
    const operand = this.#unary();
    if (operand.kind === 'literal' && next.text !== '(' && next.text !== '-')
      return { ...operand, value: -operand.value };
    return { kind: 'operation', operator: 'neg', operands: [operand] };
  }

  #primary(): ExpressionSyntax {
    const token = this.#peek();
    if (token.kind === 'number') return { kind: 'literal', value: Number(this.#take().text) };
    if (token.text === 'inf') {
      this.#take();
      return { kind: 'literal', value: Infinity };
    }
    if (this.#takeIf('(')) {
      const inner = this.#sum();
      this.#expect(')', 'an operator');
      return inner;
    }
    if (token.kind !== 'name') this.#fail('a tensor, a number or a function');
    if (this.#peek(1).text === '(') return this.#call();
    if (this.#peek(1).text === '[') return this.#access();
    this.#take();
    if (isTensor(token.text)) return { kind: 'name', name: token.text, at: this.#place(token) };
    const hint = isVariable(token.text) ? `write ${token.text.toUpperCase()} for the extent of the rank` : undefined;
    throw new SyntaxMistake(`"${token.text}" has no value`, token.start, token.text.length, hint);
  }

  #call(): ExpressionSyntax {
    const head = this.#take();
    const called = functions.get(head.text);
    if (called === undefined) {
      const hint = reducers.has(head.text)
        ? `a reduction stands right after "=" and names ranks: ${head.text}(m) ...`
        : suggest(head.text, functions.keys());
      throw new SyntaxMistake(`"${head.text}" is no function`, head.start, head.text.length, hint);
    }
    this.#expect('(');
    if (reducers.has(head.text) && isVariable(this.#peek().text) && [',', ')'].includes(this.#peek(1).text)) {
      const hint = 'a reduction applies to all that stands right of "="; give this one a line of its own';
      throw new SyntaxMistake('a reduction inside an expression', head.start, head.text.length, hint);
    }
    const operands = [this.#sum()];
    while (this.#takeIf(',')) operands.push(this.#sum());
    this.#expect(')', '","');
    if (operands.length !== called.arity) {
      const needs = `${called.arity} operand${called.arity === 1 ? '' : 's'}`;
      throw new SyntaxMistake(`${head.text} takes ${needs}, not ${operands.length}`, head.start, head.text.length);
    }
    return { kind: 'operation', operator: called.operator, operands };
  }

  #access(): AccessSyntax {
    const name = this.#peek();
    if (name.kind !== 'name') this.#fail('a tensor');
    if (!isTensor(name.text)) {
      const lower = name.text === name.text.toLowerCase();
      const meant = lower ? name.text.toUpperCase() : name.text[0]!.toUpperCase() + name.text.slice(1);
      const hint = `tensors begin in upper case: ${meant}`;
      throw new SyntaxMistake(`"${name.text}" is no name of a tensor`, name.start, name.text.length, hint);
    }
    this.#take();
    const indices: IndexSyntax[] = [];
    let end = name.end;
    if (this.#takeIf('[')) {
      if (this.#peek().text !== ']') {
        do indices.push(this.#index());
        while (this.#takeIf(','));
      }
      end = this.#expect(']', '","').end;
    }
    const whole = this.#locate(name.start, end - name.start);
    return { kind: 'access', tensor: name.text, indices, at: this.#place(name), whole };
  }

  #index(): IndexSyntax {
    const start = this.#peek();
    if (isRank(start.text) && this.#peek(1).text !== '*') {
      this.#take();
      return { terms: new Map(), factors: [], constant: 0, final: start.text, at: this.#place(start) };
    }
    const terms = new Map<string, number>();
    const factors: FactorSyntax[] = [];
    let constant = 0;
    let sign = this.#takeIf('-') ? -1 : 1;
    for (;;) {
      const number = this.#peek().kind === 'number' ? this.#whole('indices') : null;
      const factor = number === null && this.#peek(1).text === '*' && isRank(this.#peek().text) ? this.#take() : null;
      if (number === null || this.#peek().text === '*') {
        if (number !== null || factor !== null) this.#expect('*');
        const variable = this.#peek();
        if (!isVariable(variable.text)) this.#fail('an index such as m, m1+1 or 2*p+r');
        this.#take();
        const coefficient = factor === null ? sign * (number ?? 1) : 0;
        terms.set(variable.text, (terms.get(variable.text) ?? 0) + coefficient);
        if (factor) factors.push({ name: factor.text, sign, variable: variable.text, at: this.#place(factor) });
      } else {
        constant += sign * number;
      }
      if (this.#takeIf('+')) sign = 1;
      else if (this.#takeIf('-')) sign = -1;
      else break;
    }
    const last = this.#tokens[this.#next - 1]!;
    return { terms, factors, constant, final: null, at: this.#locate(start.start, last.end - start.start) };
  }

  #whole(what: 'indices' | 'elements'): number {
    const token = this.#take();
    if (/^\d+$/.test(token.text)) return Number(token.text);
    throw new SyntaxMistake(`"${token.text}" is no whole number`, token.start, token.text.length, `${what} are whole`);
  }

  #constant(): number {
    const sign = this.#takeIf('-') ? -1 : 1;
    const token = this.#peek();
    if (token.kind !== 'number' && token.text !== 'inf') this.#fail('a number, inf or -inf');
    this.#take();
    return sign * (token.text === 'inf' ? Infinity : Number(token.text));
  }

  #peek(ahead = 0): Token {
    return this.#tokens[Math.min(this.#next + ahead, this.#tokens.length - 1)]!;
  }

  #take(): Token {
    const token = this.#peek();
    if (token.kind !== 'end') this.#next++;
    return token;
  }

  #takeIf(text: string): boolean {
    if (this.#peek().text !== text) return false;
    this.#take();
    return true;
  }

  #expect(symbol: string, other?: string): Token {
    if (this.#peek().text !== symbol) this.#fail(other === undefined ? `"${symbol}"` : `${other} or "${symbol}"`);
    return this.#take();
  }

  #end(other: string): void {
    if (this.#peek().kind !== 'end') this.#fail(`${other} or the end of the line`);
  }

  #fail(expected: string): never {
    const token = this.#peek();
    const found = token.kind === 'end' ? 'the line ends' : `"${token.text}" stands`;
    throw new SyntaxMistake(`${found} where ${expected} is expected`, token.start, token.end - token.start);
  }

  #place(token: Token): Place {
    return this.#locate(token.start, token.end - token.start);
  }
}
