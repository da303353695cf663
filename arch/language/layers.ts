/** Values gathered from several places (a file, the files it uses, the command line), each remembering its own. */
import { setIn } from 'immutable';
import type { Place } from './diagnostics.ts';
import { type Path, type Places, valueAt } from './source.ts';

export type Tree = Record<string, unknown>;

/** Whether a value is a map of keys and values. */
export function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export class Layers implements Places {
  /** Never changed in place: YAML aliases may share parts of it. */
  tree: Tree;
  readonly #root: Places;
  readonly #origins = new Map<string, { readonly places: Places; readonly path: Path }>();

  constructor(tree: Tree, places: Places) {
    this.tree = tree;
    this.#root = places;
  }

  /** Puts a value at a path; it was written at `from` of `places`. */
  put(path: Path, value: unknown, places: Places, from: Path): void {
    this.tree = setIn(this.tree, path, value);
    this.#origins.set(JSON.stringify(path), { places, path: from });
  }

  /** Takes a key away. */
  drop(path: Path): void {
    const { [path[path.length - 1]!]: _, ...rest } = valueAt(this.tree, path.slice(0, -1)) as Tree;
    this.tree = setIn(this.tree, path.slice(0, -1), rest);
  }

  placeOf(path: Path): Place {
    const [places, own] = this.#origin(path);
    return places.placeOf(own);
  }

  placeOfKey(path: Path): Place {
    const [places, own] = this.#origin(path);
    return places.placeOfKey(own);
  }

  placeIn(path: Path, offset: number, length = 1): Place {
    const [places, own] = this.#origin(path);
    return places.placeIn(own, offset, length);
  }

  #origin(path: Path): [Places, Path] {
    for (let depth = path.length; depth > 0; depth--) {
      const origin = this.#origins.get(JSON.stringify(path.slice(0, depth)));
      if (origin) return [origin.places, [...origin.path, ...path.slice(depth)]];
    }
    return [this.#root, path];
  }
}
