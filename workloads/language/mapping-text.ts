/** Mappings as files: the YAML that `loadMapping` reads. */
import { Document, isMap, isPair, isSeq, visit } from 'yaml';
import type { Mapping, Placement, RankPart, SectionMapping } from './mapping.ts';

/** A mapping as a file would say it: what it leaves open is left out. */
export function mappingText({ name, about, source, workload, machine, sections, each }: Mapping): string {
  const head = { mapping: name, ...given({ about, source, workload, machine }) };
  const [only] = sections;
  const isWhole = sections.size === 1 && only!.einsums === null;
  const listed = { sections: each ? 'each' : sections.map(sectionValue).toArray() };
  const body = isWhole ? sectionValue(only!) : listed;
  const document = new Document({ ...head, ...body });
  // What belongs together stands on one line.
  visit(document, {
    Node(_, node, path) {
      const depth = path.filter((parent) => isPair(parent) || isSeq(parent)).length;
      if ((isMap(node) || isSeq(node)) && depth >= (isWhole ? 2 : 4)) node.flow = true;
      if (isSeq(node) && node.items.every((item) => !isMap(item))) node.flow = true;
    },
  });
  return document.toString({ lineWidth: 0, flowCollectionPadding: true });
}

/** Without empty texts. */
function given(texts: { readonly [key: string]: string }): { [key: string]: string } {
  return Object.fromEntries(Object.entries(texts).filter(([, text]) => text !== ''));
}

function sectionValue(section: SectionMapping): object {
  const { einsums, partition, loops, place, hold, refetch, stream, interleave, cores } = section;
  const { pipeline, passes, spill, replace } = section;
  return {
    ...(einsums && { einsums: einsums.toArray() }),
    ...(!partition.isEmpty() && { partition: partition.map((parts) => parts.map(partText).toArray()).toObject() }),
    ...(loops && { loops: loops.toArray() }),
    ...(!place.isEmpty() && { place: Object.fromEntries([...place].map(([path, p]) => [path, placementValue(p)])) }),
    ...(!hold.isEmpty() && { hold: holdValue(hold.map((tensors) => tensors.toArray()).toObject()) }),
    ...(!refetch.isEmpty() && { refetch: refetch.toArray() }),
    ...(!stream.isEmpty() && { stream: stream.toObject() }),
    ...(interleave !== null && { interleave }),
    ...(!pipeline.isEmpty() && { pipeline: pipeline.map((names) => names.toArray()).toArray() }),
    ...(!passes.isEmpty() && { passes: passes.map((names) => names.toArray()).toArray() }),
    ...(!spill.isEmpty() && { spill: spill.map((names) => names.toArray()).toObject() }),
    ...(!replace.isEmpty() && { replace: replace.toObject() }),
    ...(!cores.isEmpty() && { cores: cores.toObject() }),
  };
}

function holdValue(byPad: { readonly [pad: string]: string[] }): object {
  return byPad[''] ?? byPad;
}

function partText({ name, size }: RankPart): string {
  return size === null ? name : `${name} ${size}`;
}

function placementValue(placement: Placement): object {
  const { layout, ...lists } = placement.toObject();
  const given = Object.entries(lists).filter(([, names]) => !names.isEmpty());
  return {
    ...Object.fromEntries(given.map(([key, names]) => [key, names.toArray()])),
    ...(!layout.isEmpty() && { layout: layout.toJS() }),
  };
}
