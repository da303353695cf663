/** Latencies as expressions: `max(nCL + nBL, 4) + 2 - nCWL`, in clock cycles. */
import type { Word, Words } from './words.ts';
import { picosecondsOf, TextMistake, Words as WordsOf } from './words.ts';

export type Expression =
  | { readonly kind: 'number'; readonly value: number }
  /** A length of time: as many whole clock cycles as it takes. */
  | { readonly kind: 'time'; readonly ps: number }
  | { readonly kind: 'name'; readonly name: string; readonly start: number; readonly end: number }
  | { readonly kind: 'operation'; readonly operator: Operator; readonly operands: readonly Expression[] };

type Operator = '+' | '-' | '*' | '/' | 'max' | 'min';

/** What expressions are evaluated in. */
export interface Scope {
  readonly clockPs: number;
  /** Clock cycles of a timing parameter, or the number of nodes of a level. */
  readonly valueOf: (name: string) => number;
}

const apply: { readonly [O in Operator]: (...values: number[]) => number } = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => a / b,
  max: Math.max,
  min: Math.min,
};

/** Clock cycles; a quotient may be a fraction of one. */
export function evaluate(expression: Expression, scope: Scope): number {
  switch (expression.kind) {
    case 'number':
      return expression.value;
    case 'time':
      return Math.ceil(expression.ps / scope.clockPs);
    case 'name':
      return scope.valueOf(expression.name);
    case 'operation':
      return apply[expression.operator](...expression.operands.map((operand) => evaluate(operand, scope)));
  }
}

type NameExpression = Extract<Expression, { kind: 'name' }>;

/** The names in an expression, in order. */
export function namesIn(expression: Expression): NameExpression[] {
  if (expression.kind === 'name') return [expression];
  return expression.kind === 'operation' ? expression.operands.flatMap(namesIn) : [];
}

/** The expression that a whole text is. @throws TextMistake */
export function parseExpression(text: string): Expression {
  return wholeExpression(new WordsOf(text));
}

/** An expression and then the end. @throws TextMistake */
export function wholeExpression(words: Words): Expression {
  const expression = expressionOf(words);
  if (words.peek().kind !== 'end') words.fail('an operator', 'one of + - * /');
  return expression;
}

/** The expression that the next words are. @throws TextMistake */
export function expressionOf(words: Words): Expression {
  return chain(words, ['+', '-'], () => chain(words, ['*', '/'], () => operandOf(words)));
}

/** Whether an expression can begin with a word; timing parameters, unlike commands, begin with a small n. */
export function beginsExpression({ kind, text }: Word): boolean {
  return kind === 'number' || kind === 'time' || text === '(' || text === '-' || isParameter(text) || isFunction(text);
}

/** Whether a name is one of a timing parameter: `nRCD`. */
export function isParameter(name: string): boolean {
  return /^n[A-Z]\w*$/.test(name);
}

function isFunction(name: string): name is 'max' | 'min' {
  return name === 'max' || name === 'min';
}

function chain(words: Words, operators: readonly Operator[], operand: () => Expression): Expression {
  let left = operand();
  for (;;) {
    const operator = operators.find((symbol) => symbol === words.peek().text);
    if (operator === undefined) return left;
    words.take();
    left = { kind: 'operation', operator, operands: [left, operand()] };
  }
}

function operandOf(words: Words): Expression {
  if (words.takeIf('-')) {
    return { kind: 'operation', operator: '-', operands: [{ kind: 'number', value: 0 }, operandOf(words)] };
  }
  if (words.takeIf('(')) {
    const inside = expressionOf(words);
    words.expectText(')');
    return inside;
  }
  const word = words.peek();
  if (word.kind === 'number') return { kind: 'number', value: Number(words.take().text) };
  if (word.kind === 'time') return { kind: 'time', ps: picosecondsOf(words.take()) };
  if (word.kind !== 'name') words.fail('a timing parameter or a number', 'such as nRCD or 2');
  words.take();
  if (words.peek().text === '(') return callOf(words, word);
  return { kind: 'name', name: word.text, start: word.start, end: word.end };
}

function callOf(words: Words, name: Word): Expression {
  if (!isFunction(name.text)) throw new TextMistake(`"${name.text}" is no function`, name, 'one of max, min');
  words.expectText('(');
  const operands = [expressionOf(words)];
  while (words.takeIf(',')) operands.push(expressionOf(words));
  words.expectText(')');
  return { kind: 'operation', operator: name.text, operands };
}
