/**
 * Products whose memory makes several sums of each result: an einsum is then two, one that makes the parts in the memory and
 * one that adds them up, which runs where sums do.
 */
import { List } from 'immutable';
import type { LoadedMapping, SectionMapping } from '../../workloads/language/mapping.ts';
import {
  Access,
  Einsum,
  einsumsOf,
  Index,
  type LoadedWorkload,
  type Workload,
} from '../../workloads/language/workload.ts';
import type { Section } from './program.ts';

/** Name of the einsum, or of the tensor, that has the parts. */
export function partsOfName(name: string): string {
  return `${name}.parts`;
}

/** The einsum that one of parts is a part of; itself where it has none. */
export function wholeName(einsum: string): string {
  return einsum.replace(/\.parts$/, '');
}

/** The rank variable that counts the parts of an einsum's sums. */
export function partVariable(einsum: string): string {
  return `${einsum}.part`.toLowerCase();
}

/** A workload with `parts` sums, by einsum, for each of its results. */
export function withPartialSums(workload: Workload, parts: ReadonlyMap<string, number>): Workload {
  let { tensors, ranks } = workload;
  const steps = workload.steps.map((step) =>
    step.update('einsums', (einsums) =>
      einsums.flatMap((einsum) => {
        const count = parts.get(einsum.name);
        if (count === undefined) return [einsum];
        const { name, output } = einsum;
        const variable = partVariable(name);
        const index = new Index({ terms: new Index().terms.set(variable, 1) });
        const made = new Access({ tensor: partsOfName(output.tensor), indices: output.indices.unshift(index) });
        ranks = ranks.set(variable.toUpperCase(), count);
        const whole = tensors.get(output.tensor);
        if (!whole) throw new Error(`no tensor ${output.tensor}`);
        const shape = whole.shape.unshift(count);
        tensors = tensors.set(made.tensor, whole.merge({ name: made.tensor, role: 'intermediate', shape }));
        return [
          einsum.merge({ name: partsOfName(name), output: made }),
          new Einsum({ name, output, expression: made, reduced: List([variable]) }),
        ];
      }),
    ),
  );
  return workload.merge({ steps, tensors, ranks });
}

/** The same of a workload as it was loaded. */
export function loadedWithPartialSums(
  { workload, places }: LoadedWorkload,
  parts: ReadonlyMap<string, number>,
): LoadedWorkload {
  const all = new Map(places);
  for (const name of parts.keys()) {
    const place = places.get(name);
    if (place) all.set(partsOfName(name), place);
  }
  return { workload: withPartialSums(workload, parts), places: all };
}

/** A mapping of the workload without partial sums as one of the workload with them. */
export function mappingWithPartialSums(loaded: LoadedMapping, parts: ReadonlyMap<string, number>): LoadedMapping {
  const both = (names: List<string>): List<string> =>
    names.flatMap((name) => (parts.has(name) ? [partsOfName(name), name] : [name]));
  const first = (names: List<string>): List<string> =>
    names.map((name) => (parts.has(name) ? partsOfName(name) : name));
  const split = (section: SectionMapping): SectionMapping =>
    section
      .update('einsums', (names) => names && both(names))
      .update('pipeline', (stages) => stages.map(both))
      .update('passes', (passes) => passes.map(both))
      .update('spill', (spill) => spill.map(first))
      .update('place', (place) => place.map((placement) => placement.update('einsums', first)));
  return { ...loaded, mapping: loaded.mapping.update('sections', (sections) => sections.map(split)) };
}

/** How many parts the sums of sections have, by einsum of the workload: what the rank that counts them has there. */
export function partsIn(workload: Workload, sections: Iterable<Section>): Map<string, number> {
  const all = [...sections];
  return new Map(
    einsumsOf(workload).flatMap(({ name }): [string, number][] => {
      const variable = partVariable(name);
      const extent = all.find(({ tiles }) => tiles.has(variable))?.tiles.get(variable)?.extent;
      return extent === undefined ? [] : [[name, extent]];
    }),
  );
}
