/** `--set array.rows=128`: values from the command line in place of those in the file. */
import { parse } from 'yaml';
import { type Diagnostic, nearest, type Place } from './diagnostics.ts';
import { knownKeys } from './introspect.ts';
import { isTree, type Layers, type Tree } from './layers.ts';
import { type Kind, kinds, machineSchema, partSchemas, schemaOf } from './schema.ts';
import { type Path, type Places, valueAt } from './source.ts';

/** One `--set`, as written. */
export class Override implements Places {
  readonly text: string;
  readonly path: string;
  readonly value: unknown;
  readonly problem: Diagnostic | undefined;

  constructor(text: string) {
    this.text = text;
    const equals = text.indexOf('=');
    this.path = (equals < 0 ? text : text.slice(0, equals)).trim();
    if (this.path === '') {
      this.problem = { message: `"${text}" names nothing to set`, hint: 'write "array.rows=128"' };
      return;
    }
    if (equals < 0) {
      this.problem = { message: `"${text}" sets nothing`, hint: `write "${this.path}=VALUE"` };
      return;
    }
    try {
      this.value = parse(text.slice(equals + 1), { prettyErrors: false });
    } catch (error) {
      this.problem = { message: `--set ${text}: not YAML: ${(error as Error).message}` };
    }
  }

  placeOf(): Place {
    return { file: '--set', line: 1, column: this.path.length + 2, length: this.text.length, text: this.text };
  }

  placeOfKey(): Place {
    return this.placeOf();
  }

  placeIn(): Place {
    return this.placeOf();
  }
}

/**
 * Whether it comes before `use` is expanded, as it says or replaces what is used; what lies inside a used file can only
 * come after.
 */
export function isEarly(layers: Layers, { path, value }: Override): boolean {
  return (isTree(value) || path.endsWith('.use')) && locate(layers.tree, path.split('.')) !== undefined;
}

/** Puts the value where the override says. Its path counts from the parts, or from the top. */
export function applyOverride(layers: Layers, override: Override): Diagnostic[] {
  if (override.problem) return [override.problem];
  const path = locate(layers.tree, override.path.split('.'));
  if (!path) {
    const near = nearest(override.path, settable(layers.tree));
    const hint = near === undefined ? 'see "clockwright show" for the parts and their keys' : `did you mean "${near}"?`;
    return [{ message: `no "${override.path}"`, hint }];
  }
  layers.put(path, override.value, override, []);
  return [];
}

/** A mistake in a value from the command line names the option; it has no place in a file. */
export function withoutOverridePlace(diagnostic: Diagnostic): Diagnostic {
  const { message, place, hint } = diagnostic;
  return place?.file === '--set' ? { message: `--set ${place.text}: ${message}`, hint } : diagnostic;
}

function locate(tree: Tree, steps: readonly string[]): Path | undefined {
  const [first, ...rest] = steps as [string, ...string[]];
  if (isTree(tree.parts) && first in tree.parts) return locatePart(tree, ['parts'], steps);
  if (first === 'parts' && rest.length > 0) return locatePart(tree, ['parts'], rest);
  if (first === 'clocks' && rest.length > 0)
    return rest.length === 1 ? existing(tree, ['clocks', rest[0]!]) : undefined;
  if (first === 'links' && rest.length === 1) return existing(tree, ['links', Number(rest[0])]);
  if ((first === 'link' || first === 'network') && rest.length === 1) {
    const shape = machineSchema.shape[first].unwrap().shape;
    return isTree(tree[first]) && rest[0]! in shape ? [first, rest[0]!] : undefined;
  }
  return rest.length === 0 && first in machineSchema.shape ? [first] : undefined;
}

function locatePart(tree: Tree, parts: Path, [name, ...rest]: readonly string[]): Path | undefined {
  const at = [...parts, name!];
  const part = valueAt(tree, at);
  if (!isTree(part)) return undefined;
  const [key, ...deeper] = rest;
  if (key === undefined) return at;
  if (key === 'parts') return locatePart(tree, [...at, 'parts'], deeper);
  if (isTree(part.parts) && key in part.parts) return locatePart(tree, [...at, 'parts'], rest);
  if (!keysOf(part).includes(key)) return undefined;
  const holders = deeper.map((_, i) => valueAt(part, rest.slice(0, i + 1)));
  return holders.every((holder) => holder === undefined || isTree(holder)) ? [...at, ...rest] : undefined;
}

function existing(tree: Tree, path: Path): Path | undefined {
  return valueAt(tree, path) === undefined ? undefined : path;
}

/** Keys that a part may have; those of any kind as long as the part does not say its own. */
function keysOf(part: Tree): string[] {
  const kind = part.parts === undefined ? part.kind : 'group';
  if (kinds.includes(kind as Kind)) return knownKeys(schemaOf(kind as Kind, part));
  return [...new Set(Object.values(partSchemas).flatMap(knownKeys))];
}

/** Paths that an override may name, as people write them. */
function settable(tree: Tree): string[] {
  const clocks = isTree(tree.clocks) ? Object.keys(tree.clocks).map((name) => `clocks.${name}`) : [];
  const peers = ['devices', 'link.bandwidth', 'link.latency', 'nodes', 'network.bandwidth', 'network.latency'];
  return [...settableParts(tree.parts, ''), ...clocks, ...peers, 'technology', 'links'];
}

function settableParts(parts: unknown, prefix: string): string[] {
  if (!isTree(parts)) return [];
  return Object.entries(parts).flatMap(([name, part]) => {
    if (!isTree(part)) return [];
    const path = `${prefix}${name}`;
    return [path, ...keysOf(part).map((key) => `${path}.${key}`), ...settableParts(part.parts, `${path}.`)];
  });
}
