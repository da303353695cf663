/** `extends: lpddr5`: a standard that takes over the keys and rows of another one. */
import { dirname, join } from 'node:path';
import { type Diagnostic, InputError, type Place } from '../diagnostics.ts';
import { isTree, type Layers, type Tree } from '../layers.ts';
import { libraryFile } from '../library.ts';
import { type Path, Source, valueAt } from '../source.ts';
import type { Locate } from './words.ts';

/** A text of rows and where they stand. */
export interface RowText {
  readonly text: string;
  readonly locate: Locate;
}

/** Whether a text stands on several lines whose breaks are lost, as in all but `|` blocks. */
export function runsTogether({ text, locate }: RowText): boolean {
  return !text.trim().includes('\n') && locate(0, 1).line !== locate(text.trimEnd().length - 1, 1).line;
}

const tables = ['commands', 'constraints', 'without', 'estimates'] as const;

/** The tables of one file; null where it has none. */
export type Generation = { readonly [T in (typeof tables)[number]]: RowText | null };

/** Keys whose entries are merged one by one; of the others, the extending file's replace the extended one's. */
const merged: readonly string[] = ['organisations', 'speeds', 'timings', 'currents', 'energies', 'buffers'];

/**
 * Puts the keys of extended files below those of the standard at a path. Gives the tables of each, the first ancestor's
 * first.
 */
export function expandExtends(layers: Layers, at: Path, mistakes: Diagnostic[]): Generation[] {
  const own = valueAt(layers.tree, at) as Tree;
  const generations = [generationOf(own, (key) => (offset, length) => layers.placeIn([...at, key], offset, length))];
  const chain: string[] = [];
  let heir = own;
  let place = layers.placeOf([...at, 'extends']);
  while (typeof heir.extends === 'string') {
    const name = heir.extends;
    if (chain.includes(name)) {
      mistakes.push({ message: `${[...chain, name].join(' extends ')}: a circle`, place });
      return generations;
    }
    chain.push(name);
    const source = extendedBy(name, place, beside(place, layers, at), mistakes);
    if (!source) return generations;
    const base = source.value() as Tree;
    for (const [key, value] of Object.entries(base)) inherit(layers, [...at, key], value, source, [key]);
    generations.unshift(generationOf(base, (key) => (offset, length) => source.placeIn([key], offset, length)));
    heir = base;
    place = source.placeOf(['extends']);
  }
  return generations;
}

function generationOf(tree: Tree, locate: (key: string) => Locate): Generation {
  const rows = (key: string): RowText | null => {
    const text = tree[key];
    return typeof text === 'string' ? { text, locate: locate(key) } : null;
  };
  return {
    commands: rows('commands'),
    constraints: rows('constraints'),
    without: rows('without'),
    estimates: rows('estimates'),
  };
}

/** Folder of the standard that extends another, or `parts/dram` beside the machine where a part of it does. */
function beside(place: Place, layers: Layers, at: Path): string {
  const machine = layers.placeOf([]).file;
  const written = place.file === machine || place.file === '--set';
  return written && at.length > 0 ? join(dirname(machine), 'parts/dram') : dirname(place.file);
}

function extendedBy(name: string, place: Place, folder: string, mistakes: Diagnostic[]): Source | undefined {
  const found = standardFile(name, folder);
  if ('hint' in found) {
    mistakes.push({ message: `there is no standard "${name}"`, place, hint: found.hint });
    return undefined;
  }
  try {
    return Source.read(found.file);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    mistakes.push(...error.diagnostics);
    return undefined;
  }
}

/** The file of a standard by name, `ddr4` or `dram/ddr4`: in a folder, or else in the library. */
export function standardFile(name: string, beside?: string): ReturnType<typeof libraryFile> {
  return libraryFile('arch/parts/dram', name.replace(/^dram\//, ''), beside);
}

function inherit(layers: Layers, path: Path, value: unknown, source: Source, from: Path): void {
  const own = valueAt(layers.tree, path);
  if (own === undefined) layers.put(path, value, source, from);
  else if (isTree(own) && isTree(value) && merged.includes(String(from[0]))) {
    for (const [key, inside] of Object.entries(value)) inherit(layers, [...path, key], inside, source, [...from, key]);
  }
}
