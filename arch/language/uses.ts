/** `use: array/tpu-v4-mxu`: another file's keys as defaults of a part. */
import { dirname, join } from 'node:path';
import { type Diagnostic, InputError } from './diagnostics.ts';
import { isTree, type Layers, type Tree } from './layers.ts';
import { libraryFile } from './library.ts';
import { type Path, Source, valueAt } from './source.ts';

/**
 * Replaces every `use` below `parts` by the keys of the file it names; a part's own keys win, each as a whole. Files
 * are looked for in the folder `parts` beside the machine's file, then in the library.
 */
export function expandUses(layers: Layers, file: string, parts: Path = ['parts']): Diagnostic[] {
  const map = valueAt(layers.tree, parts);
  if (!isTree(map)) return [];
  return Object.keys(map).flatMap((name) => {
    const at = [...parts, name];
    const mistakes = adoptAll(layers, file, at);
    return [...mistakes, ...expandUses(layers, file, [...at, 'parts'])];
  });
}

/** A used file may use another in turn. A `use` that leads nowhere stays, which tells that the part is incomplete. */
function adoptAll(layers: Layers, file: string, at: Path): Diagnostic[] {
  const chain: string[] = [];
  for (;;) {
    const part = valueAt(layers.tree, at);
    if (!isTree(part) || typeof part.use !== 'string') return [];
    const place = layers.placeOf([...at, 'use']);
    if (chain.includes(part.use)) return [{ message: `${[...chain, part.use].join(' uses ')}: a circle`, place }];
    chain.push(part.use);
    const found = libraryFile('arch/parts', part.use, join(dirname(file), 'parts'));
    if ('hint' in found) return [{ message: `there is no part "${part.use}"`, place, hint: found.hint }];
    try {
      adopt(layers, at, Source.read(found.file));
    } catch (error) {
      if (error instanceof InputError) return [...error.diagnostics];
      throw error;
    }
  }
}

function adopt(layers: Layers, at: Path, source: Source): void {
  layers.drop([...at, 'use']);
  const own = valueAt(layers.tree, at) as Tree;
  for (const [key, value] of Object.entries(source.value() as Tree)) {
    if (own[key] === undefined) layers.put([...at, key], value, source, [key]);
  }
}
