/** Serving mappings as text. */
import type { Arch } from '../../arch/language/arch.ts';
import { table } from '../../arch/language/describe.ts';
import { memoryOf, waysOf } from './serving-check.ts';
import type { LaidTensor, PlacementRule, ServingMapping } from './serving-mapping.ts';

/** What `clockwright show` prints of a serving mapping, with counts of its machine where that is known. */
export function describeServingMapping(mapping: ServingMapping, arch: Arch | null): string {
  const { name, about, source, workload, machine, place, layout, channels, subBatches, experts, activations } = mapping;
  const head = [
    about ? `${name}   ${about}` : name,
    ...(source ? [`  source: ${source}`] : []),
    `  serves ${workload === '' || workload === 'llm' ? 'any language model' : workload} on ${machine || 'any machine'}`,
  ];
  const rules = place.toArray().map((rule): string[] => [`on ${rule.on}`, ruleText(rule)]);
  const tensors = [...layout.keys()].map((tensor): string[] => [tensor, layoutText(tensor, mapping, arch)]);
  const rest: string[][] = [
    [
      'requests',
      `${channels} over channels, ${subBatches === 1 ? 'one batch' : `${subBatches} sub-batches`} in flight`,
    ],
    ...(experts === 'split' ? [['experts', 'shared out to array and memory']] : []),
    ...(activations === 'scratchpad' ? [['activations', 'stay in the scratchpad']] : []),
  ];
  return `${[...head, '', ...table([...rules, ...tensors, ...rest]).map((line) => `  ${line}`)].join('\n')}\n`;
}

function ruleText({ operators, below, phase }: PlacementRule): string {
  const whose = operators?.join(', ') ?? 'everything else';
  const limit = below === null ? [] : [`below ${below} Op/B`];
  return [whose, ...limit, ...(phase === null ? [] : [`of ${phase}`])].join(' ');
}

/** `token over 32 (bank), dimension over column`. */
function layoutText(tensor: LaidTensor, mapping: ServingMapping, arch: Arch | null): string {
  const layout = mapping.layout.get(tensor);
  const memory = arch && memoryOf(tensor, mapping, arch);
  if (!layout) return '';
  return [...layout]
    .map(([index, levels]) => {
      const ways = memory ? waysOf(index, layout, memory) : 1;
      return ways > 1 ? `${index} over ${ways} (${levels.join(', ')})` : `${index} over ${levels.join(', ')}`;
    })
    .join('; ');
}
