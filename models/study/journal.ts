/** Finished rows on disk: one line of JSON each, on the disk before the next one counts as begun. */
import {
  closeSync,
  existsSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { InputError } from '../../arch/language/diagnostics.ts';
import { reasonOf } from '../../arch/language/file-error.ts';
import type { Metrics, Point } from './definition.ts';

export interface Entry {
  readonly key: string;
  readonly point: Point;
  /** Parameters that the metrics depend on besides what the key tells. */
  readonly reads: readonly string[];
  readonly metrics: Metrics;
}

export class Journal {
  readonly file: string;
  readonly #descriptor: number;
  #entries: Map<string, Entry[]>;

  /** Opens or begins a journal. A last line that was not written to its end is dropped. @throws InputError */
  constructor(file: string) {
    this.file = file;
    try {
      mkdirSync(dirname(file), { recursive: true });
      const isNew = !existsSync(file);
      this.#descriptor = openSync(file, 'a');
      if (isNew) syncFolder(dirname(file));
      const text = readFileSync(file);
      const whole = text.lastIndexOf('\n') + 1;
      if (whole < text.length) ftruncateSync(this.#descriptor, whole);
      this.#entries = byKey(text.toString('utf8', 0, whole));
    } catch (error) {
      throw unwritable(file, error);
    }
  }

  /** The metrics of a point, where a row with equal inputs is there. */
  find(key: string, point: Point): Metrics | undefined {
    return this.#entries.get(key)?.findLast((entry) => holdsFor(entry, point))?.metrics;
  }

  /** Appends the rows of one run. @throws InputError when the disk is full, say. */
  append(entries: readonly Entry[]): void {
    try {
      writeSync(this.#descriptor, entries.map((entry) => `${JSON.stringify(entry)}\n`).join(''));
      fsyncSync(this.#descriptor);
    } catch (error) {
      throw unwritable(this.file, error);
    }
    for (const entry of entries) add(this.#entries, entry);
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}

/** Takes rows out of a journal, if there is one. @throws InputError */
export function forget(file: string, keys: ReadonlySet<string>): void {
  if (!existsSync(file)) return;
  const partial = `${file}.${process.pid}.part`;
  try {
    const kept = [...byKey(readFileSync(file, 'utf8')).values()].flat().filter(({ key }) => !keys.has(key));
    writeFileSync(partial, kept.map((entry) => `${JSON.stringify(entry)}\n`).join(''), { flush: true });
    renameSync(partial, file);
  } catch (error) {
    throw unwritable(file, error);
  }
}

/** Whether a row says something of a point with equal inputs: its metrics have read nothing that differs. */
export function holdsFor({ point, reads }: Pick<Entry, 'point' | 'reads'>, other: Point): boolean {
  return reads.every((parameter) => Object.is(point[parameter], other[parameter]));
}

/** Lines that are no rows are passed over: their points run again. */
function byKey(text: string): Map<string, Entry[]> {
  const entries = new Map<string, Entry[]>();
  for (const line of text.split('\n')) {
    const entry = parse(line);
    if (entry) add(entries, entry);
  }
  return entries;
}

function parse(line: string): Entry | null {
  try {
    const entry = JSON.parse(line) as Partial<Entry> | null;
    const isEntry = typeof entry?.key === 'string' && entry.point && entry.metrics && Array.isArray(entry.reads);
    return isEntry ? (entry as Entry) : null;
  } catch {
    return null;
  }
}

function add(entries: Map<string, Entry[]>, entry: Entry): void {
  const others = entries.get(entry.key);
  if (others) others.push(entry);
  else entries.set(entry.key, [entry]);
}

/** So that a new file is there after a power cut; not all systems can. */
function syncFolder(folder: string): void {
  try {
    const descriptor = openSync(folder, 'r');
    fsyncSync(descriptor);
    closeSync(descriptor);
  } catch {
    // The rows themselves are safe where this fails.
  }
}

function unwritable(file: string, error: unknown): InputError {
  return new InputError({
    message: `cannot keep rows in ${file}: ${reasonOf(error)}`,
    hint: 'name another file with --journal',
  });
}
