/** YAML's syntax errors in the words of someone who writes a table of parts, each where it can be mended. */
import type { YAMLError } from 'yaml';
import type { Diagnostic, Place } from './diagnostics.ts';

type Span = (offset: number, length: number) => Place;

/** An explanation: what is wrong from `at` on, and what to do. */
interface Explanation {
  readonly message: string;
  readonly at: number;
  readonly length?: number;
  readonly hint: string;
}

/**
 * Keys written twice, and the first error of syntax. Of the errors after it only those that a line has by itself are
 * told: most others just follow.
 */
export function syntaxMistakes(errors: readonly YAMLError[], text: string, span: Span): Diagnostic[] {
  const found = new Map<number, Diagnostic>();
  let broken = false;
  for (const error of errors) {
    const line = lineAt(text, error.pos[0]);
    const own = error.code === 'DUPLICATE_KEY' ? writtenTwice(text, error.pos[0]) : ofLine(line, error.code);
    if (!own && broken) continue;
    const { message, at, length = 1, hint } = own ?? ofStructure(error, text, line);
    const place = span(at, length);
    if (!found.has(place.line)) found.set(place.line, { message, place, hint });
    broken ||= error.code !== 'DUPLICATE_KEY';
  }
  return [...found.values()];
}

interface Line {
  readonly start: number;
  readonly text: string;
  /** Without the remark at its end. */
  readonly bare: string;
  readonly indent: number;
}

function lineAt(text: string, offset: number): Line {
  const start = text.lastIndexOf('\n', offset - 1) + 1;
  const end = text.indexOf('\n', offset);
  const line = text.slice(start, end < 0 ? text.length : end).trimEnd();
  const bare = line.replace(/(^|\s)#.*$/, '').trimEnd();
  return { start, text: line, bare, indent: line.length - line.trimStart().length };
}

function writtenTwice(text: string, at: number): Explanation {
  const length = /^[^\s:]+/.exec(text.slice(at, at + 100))?.[0].length ?? 1;
  return { message: 'this key is written twice', at, length, hint: 'remove one of them' };
}

/** Mistakes that show in a line alone. */
function ofLine({ start, text, bare, indent }: Line, code: string): Explanation | undefined {
  const tab = /^ *\t/.exec(text);
  if (tab) return { message: 'a tab stands in the indentation', at: start + tab[0].length - 1, hint: 'write spaces' };
  if (!['MULTILINE_IMPLICIT_KEY', 'MISSING_CHAR', 'BAD_INDENT'].includes(code)) return undefined;
  const at = start + indent;
  const content = bare.slice(indent);
  const explain = (message: string, hint: string): Explanation => ({ message, at, length: content.length, hint });
  if (/<?->/.test(content) && !content.startsWith('- ')) {
    return explain('a link without a dash', `write "- ${content}"`);
  }
  const tight = /^([\w-]+):(\S.*)$/.exec(content);
  if (tight) return explain('there is no space after the colon', `write "${tight[1]}: ${tight[2]}"`);
  const lone = /^([A-Za-z][\w-]*)(?:\s+([^:=]*))?$/.exec(content);
  if (lone) return explain('there is no colon', `write "${[`${lone[1]}:`, lone[2]].filter(Boolean).join(' ')}"`);
  if (/^[A-Z][\w.]*(\[.*\])?\s*=/.test(content)) {
    return explain('this line is outside the text that it belongs to', 'indent it like the lines above');
  }
  return undefined;
}

/** Mistakes in how lines and brackets belong together. */
function ofStructure(error: YAMLError, text: string, line: Line): Explanation {
  const [at, end] = error.pos;
  const length = Math.max(1, end - at);
  const bracket = /end with a ([}\]])/.exec(error.message)?.[1];
  if (bracket) return unclosed(bracket, text, at);
  const quote = /^Missing closing (.)quote/.exec(error.message)?.[1];
  if (quote) {
    return { message: 'a quote is not closed', at: text.lastIndexOf(quote), hint: `end the text with ${quote}` };
  }
  switch (error.code) {
    case 'BLOCK_IN_FLOW': {
      const [, value, next] = /^(\S+)\s+(\S.*)$/.exec(text.slice(at, end).split('\n')[0]!) ?? [];
      const hint = next === undefined ? 'put commas between keys' : `write "${value}, ${next}"`;
      return { message: 'there is no comma between two keys', at, length, hint };
    }
    case 'BLOCK_AS_IMPLICIT_KEY':
      return misplaced(text, line, at);
    case 'BAD_INDENT': {
      const hint = 'line it up with the keys that it belongs beside';
      return { message: 'no line above is indented like this one', at: line.start + line.indent, hint };
    }
    case 'BAD_SCALAR_START':
      return { message: `text cannot begin with ${text[at]} here`, at, hint: 'put it in quotes' };
    case 'UNEXPECTED_TOKEN':
      return { message: `nothing opens "${text.slice(at, end)}"`, at, length, hint: 'remove it' };
    case 'MULTIPLE_DOCS': {
      const hint = 'a file describes one thing: remove this line';
      return { message: 'a second document begins here', at, length: 3, hint };
    }
    case 'MULTILINE_IMPLICIT_KEY':
    case 'MISSING_CHAR': {
      if (!error.message.includes(', or :')) {
        const rest = Math.max(1, line.start + line.bare.length - at);
        return { message: 'this is no key with a value', at, length: rest, hint: 'write "key: value"' };
      }
      return {
        message: 'a comma or a colon is missing before this',
        at,
        length,
        hint: 'separate what lies in brackets',
      };
    }
    default:
      return { message: `not YAML: ${error.message}`, at, length, hint: 'see a file in arch/ or workloads/' };
  }
}

/** The bracket that `closing` would close, with others inside it skipped. */
function unclosed(closing: string, text: string, before: number): Explanation {
  const opening = closing === '}' ? '{' : '[';
  let depth = 1;
  let at = before;
  while (at > 0 && depth > 0) {
    at--;
    if (text[at] === closing) depth++;
    if (text[at] === opening) depth--;
  }
  return { message: `"${opening}" is not closed`, at, hint: `end it with "${closing}"` };
}

/** Keys where a value was to be: on the same line, or on deeper ones below a value. */
function misplaced(text: string, line: Line, at: number): Explanation {
  if (/^\s*- /.test(line.bare)) {
    return { message: 'an item of a list among keys', at: line.start + line.indent, hint: 'remove the dash' };
  }
  if ((line.bare.match(/:(\s|$)/g) ?? []).length > 1) {
    const hint = line.bare.endsWith('}') ? 'begin it with "{"' : 'put the text in quotes';
    return { message: 'a second colon in one value', at, length: line.start + line.bare.length - at, hint };
  }
  const next = lineAt(text, line.start + line.text.length + 1);
  const key = line.bare.trim().split(':')[0];
  const hint = `line it up with "${key}"`;
  return { message: 'this line is indented deeper than what it follows', at: next.start + next.indent, hint };
}
