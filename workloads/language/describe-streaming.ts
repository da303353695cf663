/** A streaming workload as text. */
import { bytes, table } from '../../arch/language/describe.ts';
import type { StreamStep, StreamWorkload } from './streaming.ts';

/** What `clockwright show` prints. */
export function describeStream({ name, about, source, tensors, steps, elements }: StreamWorkload): string {
  const head = table([
    [name, about],
    ['source', source || 'none given'],
    ...(elements > 0 ? [['elements', elements.toLocaleString('en')]] : []),
  ]);
  const rows = tensors.toArray().map((tensor) => {
    return [tensor.name, bytes(tensor.bytes), tensor.element === null ? '' : `${tensor.element} B per element`];
  });
  const body = [
    'tensors',
    ...table(rows).map((line) => `  ${line}`),
    '',
    'steps',
    ...steps.map((step) => `  ${stepText(step)}`),
  ];
  return `${[...head, '', ...body].join('\n')}\n`;
}

function stepText(step: StreamStep): string {
  if (step.kind === 'copy') return step.name;
  const operations = [...step.operations].map(([name, times]) => `${times} ${name}`);
  const each = operations.length > 0 ? `, for each element ${operations.join(', ')}` : '';
  return `loop ${step.name}: reads ${step.reads.join(', ')}; writes ${step.writes.join(', ') || 'nothing'}${each}`;
}
