/** Mappings as text. */
import type { Mapping, Placement, RankPart, SectionMapping } from './mapping.ts';

/** What `clockwright show` prints of a mapping; what it leaves open is chosen when it is used. */
export function describeMapping({ name, about, source, workload, machine, sections, each }: Mapping): string {
  const head = [
    about ? `${name}   ${about}` : name,
    ...(source ? [`  source: ${source}`] : []),
    `  lays ${workload || 'any workload'} on ${machine || 'any machine'}`,
  ];
  const blocks = sections.toArray().map((section) => {
    const title = section.einsums ? `section ${section.einsums.join(' ')}` : 'one section of all einsums';
    const lines = sectionLines(section);
    const width = Math.max(...lines.map(([label]) => label.length));
    return [title, ...lines.map(([label, text]) => `  ${label.padEnd(width)}  ${text}`)];
  });
  if (each) blocks.push(['a section of each einsum, but for what a recurrence holds together']);
  else if (blocks.length === 0) blocks.push(['everything is left open']);
  return `${[head, ...blocks].map((lines) => lines.join('\n')).join('\n\n')}\n`;
}

type Line = readonly [label: string, text: string];

function sectionLines(section: SectionMapping): Line[] {
  const { partition, loops, place, hold, stream, interleave, cores } = section;
  return [
    ...[...partition].map(([rank, parts]): Line => [`rank ${rank}`, parts.map(partText).join(' x ')]),
    ['loops', loops ? `${loops.join(' > ')}, outer to inner` : 'chosen'],
    ...[...place].map(([engine, placement]): Line => [`on ${engine}`, placementText(placement)]),
    ...[...hold].map(([pad, tensors]): Line => ['hold', `${tensors.join(', ')}${pad === '' ? '' : ` in ${pad}`}`]),
    ...(stream.isEmpty()
      ? []
      : [['stream', [...stream].map(([tensor, tiles]) => `${tensor} ${tiles} tiles`).join(', ')] as const]),
    ...(section.refetch.isEmpty() ? [] : [['refetch', section.refetch.join(', ')] as const]),
    ...[...section.spill].map(([tensor, readers]): Line => ['spill', `${tensor}, read back by ${readers.join(', ')}`]),
    ...[...section.replace].map(([tensor, old]): Line => ['replace', `${tensor} takes the place of ${old}`]),
    ...section.passes.toArray().map((einsums, i): Line => [`pass ${i + 1}`, einsums.join(' ')]),
    ...section.pipeline.toArray().map((einsums, i): Line => [`stage ${i + 1}`, einsums.join(' ') || 'none']),
    ...[...cores].map(([group, rank]): Line => ['cores', `${rank} split over ${group}`]),
    ['interleave', interleave === null ? 'chosen' : interleave === 1 ? 'none' : `${interleave} rounds`],
  ];
}

function partText({ name, size }: RankPart): string {
  return size === null ? name : `${name} ${size}`;
}

function placementText({ einsums, rows, columns, lanes, keep, layout }: Placement): string {
  const sides = Object.entries({ rows, columns, lanes }).filter(([, names]) => !names.isEmpty());
  return [
    einsums.join(' '),
    ...sides.map(([side, names]) => `${names.join(' ')} over ${side}`),
    ...(keep.isEmpty() ? [] : [`keeps ${keep.join(' ')} in registers`]),
    ...[...layout].map(([matrix, ranks]) => {
      const over = [...ranks].map(([rank, levels]) => `${rank} over ${levels.join(' and ')}`);
      return `${matrix} lies ${over.length > 0 ? over.join(', ') : 'as chosen'}`;
    }),
  ].join(', ');
}
