/** Mappings of dataflow machines as text. */
import { counted, table } from '../../arch/language/describe.ts';
import type { DataflowMapping } from './dataflow-mapping.ts';

/** What `clockwright show` prints of a dataflow mapping. */
export function describeDataflowMapping(mapping: DataflowMapping): string {
  const { name, about, source, workload, machine, fuse, launch, tile, buffers, stream } = mapping;
  const head = [
    about ? `${name}   ${about}` : name,
    ...(source ? [`  source: ${source}`] : []),
    `  lays ${workload || 'any workload'} on ${machine || 'any machine'}`,
  ];
  const rows = [
    ...sectionRows(fuse),
    ['launch', launch === 'hardware' ? 'by the unit itself' : 'by the host'],
    ['stream', `${stream || 'the rank that most tensors have'}, in tiles of ${counted(tile, 'point')}`],
    ['buffers', `${counted(buffers, 'tile')} between neighbouring stages`],
  ];
  return `${[...head, '', ...table(rows).map((line) => `  ${line}`)].join('\n')}\n`;
}

function sectionRows(fuse: DataflowMapping['fuse']): string[][] {
  if (fuse === 'all') return [['sections', 'as many operators as fit']];
  if (fuse === 'none') return [['sections', 'one of each operator']];
  const listed = fuse.toArray().map((operators, i) => [`section ${i + 1}`, operators.join(' ')]);
  return [...listed, ['sections', 'one of each other operator']];
}
