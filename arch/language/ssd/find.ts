/** SSDs as people name them: part files. */
import { existsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { InputError, suggest } from '../diagnostics.ts';
import { Layers, type Tree } from '../layers.ts';
import { libraryFile } from '../library.ts';
import { partSchemas } from '../schema.ts';
import { diagnose, Source, valueAt } from '../source.ts';
import { expandUses } from '../uses.ts';
import { buildSsd } from './build.ts';
import type { SsdPart } from './part.ts';

/**
 * The SSD of a part file, or of that name in arch/parts/ssd: `mqsim-default`, `ssd/mqsim-default`.
 * @throws InputError when there is none, or with the mistakes in its file and in those it uses
 */
export function findSsd(name: string): SsdPart {
  return loadSsd(ssdFile(name));
}

/** @throws InputError when there is no such file. */
export function ssdFile(name: string): string {
  if (existsSync(name) && statSync(name).isFile()) return name;
  const found = libraryFile('arch/parts/ssd', name.replace(/^ssd\//, ''));
  if ('hint' in found) throw new InputError({ message: `there is no SSD "${name}"`, hint: found.hint });
  return found.file;
}

function loadSsd(file: string): SsdPart {
  const source = Source.read(file);
  const at = ['parts', 'part'];
  const layers = new Layers({ parts: {} }, source);
  layers.put(at, source.value(), source, []);
  // As if a machine used it that lies where machines do.
  const mistakes = expandUses(layers, join(dirname(file), '../../machine.yaml'));
  if (mistakes.length > 0) throw new InputError(mistakes);
  const part = valueAt(layers.tree, at) as Tree;
  if (part.kind !== 'ssd') {
    const place = layers.placeOf([...at, 'kind']);
    throw new InputError({ message: `${file} describes no SSD`, place, hint: suggest(String(part.kind), ['ssd']) });
  }
  const { data, error } = partSchemas.ssd.safeParse(part);
  if (error) throw new InputError(diagnose(error.issues, part, layers, at, partSchemas.ssd));
  const built = buildSsd(data, at, layers, mistakes);
  if (mistakes.length > 0) throw new InputError(mistakes);
  return built;
}
