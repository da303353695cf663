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

function sectionLines({ partition, loops, place, hold, stream, interleave, cores }: SectionMapping): Line[] {
  return [
    ...[...partition].map(([rank, parts]): Line => [`rank ${rank}`, parts.map(partText).join(' x ')]),
    ['loops', loops ? `${loops.join(' > ')}, outer to inner` : 'chosen'],
    ...[...place].map(([engine, placement]): Line => [`on ${engine}`, placementText(placement)]),
    ...[...hold].map(([pad, tensors]): Line => ['hold', `${tensors.join(', ')}${pad === '' ? '' : ` in ${pad}`}`]),
    ...(stream.isEmpty()
      ? []
      : [['stream', [...stream].map(([tensor, tiles]) => `${tensor} ${tiles} tiles`).join(', ')] as const]),
    ...[...cores].map(([group, rank]): Line => ['cores', `${rank} split over ${group}`]),
    ['interleave', interleave === null ? 'chosen' : interleave === 1 ? 'none' : `${interleave} rounds`],
  ];
}

function partText({ name, size }: RankPart): string {
  return size === null ? name : `${name} ${size}`;
}

function placementText({ einsums, rows, columns, lanes, keep }: Placement): string {
  const sides = Object.entries({ rows, columns, lanes }).filter(([, names]) => !names.isEmpty());
  return [
    einsums.join(' '),
    ...sides.map(([side, names]) => `${names.join(' ')} over ${side}`),
    ...(keep.isEmpty() ? [] : [`keeps ${keep.join(' ')} in registers`]),
  ].join(', ');
}
