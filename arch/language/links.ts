/** Links as text: `hbm <-> buffer via dma`, `buffer -> array  1 KiB/cycle`. */
import { Link, type Part, type Rate } from './arch.ts';
import { type Diagnostic, suggest } from './diagnostics.ts';
import type { Path, Places } from './source.ts';
import { parseRate, UnitError } from './units.ts';

/** A link's text is where it stands; names in it count from `scope`, the path of the group it is written in. */
export interface WrittenLink {
  readonly text: string;
  readonly at: Path;
  readonly scope: readonly string[];
}

/** Parts by path. Null: a part with mistakes of its own, which may be anything. */
export type PartsByPath = ReadonlyMap<string, Part | null>;

const grammar = /^\s*(?<from>\S+?)\s*(?<arrow><->|->)\s*(?<to>\S+)(?:\s+via\s+(?<via>\S+))?(?:\s+(?<rate>\S.*?))?\s*$/d;

type Field = 'from' | 'to' | 'via' | 'rate';

/** The link that a text means, or everything that is wrong with it. */
export function readLink(written: WrittenLink, parts: PartsByPath, places: Places): Link | Diagnostic[] {
  const match = grammar.exec(written.text);
  if (!match) {
    const hint = 'write "hbm <-> buffer via dma" or "buffer -> array  1 KiB/cycle"';
    return [{ message: `"${written.text}" is no link`, place: places.placeOf(written.at), hint }];
  }
  return new LinkReader(written, parts, places, match).read();
}

class LinkReader {
  readonly #written: WrittenLink;
  readonly #parts: PartsByPath;
  readonly #places: Places;
  readonly #match: RegExpExecArray;
  readonly #mistakes: Diagnostic[] = [];

  constructor(written: WrittenLink, parts: PartsByPath, places: Places, match: RegExpExecArray) {
    this.#written = written;
    this.#parts = parts;
    this.#places = places;
    this.#match = match;
  }

  read(): Link | Diagnostic[] {
    const from = this.#end('from');
    const to = this.#end('to');
    if (from !== '' && from === to) this.#mistake('to', `"${to}" is linked to itself`, 'name another part');
    const both = this.#match.groups!.arrow === '<->';
    const link = new Link({ from, to, both, via: this.#via(), bandwidth: this.#rate() });
    const unclocked = [from, to].every((path) => this.#parts.get(path)?.kind === 'memory');
    if (link.bandwidth?.per === 'cycle' && unclocked) {
      const message = `"${this.#match.groups!.rate}" is per cycle, but neither end has a clock`;
      this.#mistake('rate', message, 'write a rate per second, such as "400 GiB/s"');
    }
    return this.#mistakes.length > 0 ? this.#mistakes : link;
  }

  #end(field: 'from' | 'to'): string {
    const name = this.#match.groups![field]!;
    const path = this.#resolve(name);
    if (path === undefined) {
      this.#mistake(field, `there is no part "${name}"`, suggest(name, this.#names(isEnd)));
      return '';
    }
    const part = this.#parts.get(path);
    if (part?.kind === 'group') {
      const inside = this.#names(isEnd).filter((other) => other.startsWith(`${name}.`));
      this.#mistake(field, `"${name}" is a group of parts`, `name a part in it: ${inside.join(', ')}`);
    } else if (part && !isEnd(part)) {
      const message = `"${name}" is of kind ${part.kind}, which links run over, not to`;
      this.#mistake(field, message, `write "via ${name}" after the two parts that it joins`);
    }
    return path;
  }

  #via(): string | null {
    const name = this.#match.groups!.via;
    if (name === undefined) return null;
    const path = this.#resolve(name);
    const part = path === undefined ? undefined : this.#parts.get(path);
    if (path === undefined && name !== 'dma') {
      this.#mistake('via', `there is no part "${name}"`, suggest(name, ['dma', ...this.#names(isWay)]));
    } else if (part && !isWay(part)) {
      const hint = suggest(name, ['dma', ...this.#names(isWay)]);
      this.#mistake('via', `"${name}" is of kind ${part.kind}, but links run over a dma, link or packet-link`, hint);
    }
    return path ?? name;
  }

  #rate(): Rate | null {
    const text = this.#match.groups!.rate;
    if (text === undefined) return null;
    try {
      return parseRate(text);
    } catch (error) {
      if (!(error instanceof UnitError)) throw error;
      const hint = this.#resolve(text) === undefined && text !== 'dma' ? error.hint : `write "via ${text}"`;
      this.#mistake('rate', error.about('a link'), hint);
      return null;
    }
  }

  /** The path of a name: looked for in the group it is written in, then in those around it. */
  #resolve(name: string): string | undefined {
    const { scope } = this.#written;
    for (let depth = scope.length; depth >= 0; depth--) {
      const path = [...scope.slice(0, depth), name].join('.');
      if (this.#parts.has(path)) return path;
    }
    return undefined;
  }

  /** Names that would do here. */
  #names(fits: (part: Part) => boolean): string[] {
    const prefix = this.#written.scope.map((step) => `${step}.`).join('');
    return [...this.#parts]
      .filter(([, part]) => part === null || fits(part))
      .map(([path]) => (path.startsWith(prefix) ? path.slice(prefix.length) : path));
  }

  #mistake(field: Field, message: string, hint: string | undefined): void {
    const [start, end] = this.#match.indices!.groups![field]!;
    this.#mistakes.push({ message, place: this.#places.placeIn(this.#written.at, start, end - start), hint });
  }
}

/** Data may come from or go to it. */
function isEnd(part: Part): boolean {
  return ['memory', 'scratchpad', 'array', 'vector', 'rdu', 'host', 'switch', 'device'].includes(part.kind);
}

/** Links may run over it. */
function isWay(part: Part): boolean {
  return part.kind === 'dma' || part.kind === 'link' || part.kind === 'packet-link';
}
