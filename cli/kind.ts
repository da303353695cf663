/** What a file describes, by its keys. */
import { Source } from '../arch/language/source.ts';

export type Kind =
  | 'machine'
  | 'workload'
  | 'serving workload'
  | 'composition of experts'
  | 'streaming workload'
  | 'model table'
  | 'mapping'
  | 'serving mapping'
  | 'dataflow mapping'
  | 'placement'
  | 'technology'
  | 'standard'
  | 'part';

/** The first line all of whose keys a file has tells its kind: its name, else what only files of that kind have. */
const signs: readonly (readonly [Kind, ...string[]])[] = [
  ['dataflow mapping', 'mapping', 'fuse'],
  ['mapping', 'mapping'],
  ['mapping', 'machine', 'workload'],
  ['machine', 'machine'],
  ['composition of experts', 'workload', 'experts'],
  ['serving workload', 'workload', 'model'],
  ['serving workload', 'workload', 'batch'],
  ['serving workload', 'workload', 'serve'],
  ['streaming workload', 'workload', 'steps'],
  ['workload', 'workload'],
  ['machine', 'clocks'],
  ['machine', 'links'],
  ['workload', 'cascade'],
  ['workload', 'graph'],
  ['mapping', 'loops'],
  ['mapping', 'place'],
  ['model table', 'families'],
  ['part', 'kind'],
  ['technology', 'technology'],
  ['standard', 'standard'],
  ['standard', 'extends'],
  ['part', 'use'],
];

/** Undefined when the file has none of these keys. @throws InputError when it cannot be read as YAML. */
export function kindOf(file: string): Kind | undefined {
  const tree = Source.read(file).value() as { readonly [key: string]: unknown };
  const keys = Object.keys(tree);
  // Its places are a list of rules, those of a mapping of einsums are by engine.
  if (keys.includes('mapping') && Array.isArray(tree.place))
    return tree.place.length > 0 && tree.place.every((rule) => typeof rule === 'string')
      ? 'placement'
      : 'serving mapping';
  return signs.find(([, ...needed]) => needed.every((key) => keys.includes(key)))?.[0];
}
