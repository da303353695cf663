/** Compositions of experts as text. */
import { counted } from '../../arch/language/describe.ts';
import { bytes as bytesText, significant, table, whole } from '../language/describe.ts';
import type { ExpertComposition } from './composition.ts';
import { cacheBytesPerToken, weightBytesOf } from './share.ts';

/** The report of `clockwright show`: models, requests, and what the devices hold of each. */
export function describeComposition(composition: ExpertComposition): string {
  const { name, about, source, experts, expert, router, batch, batches, prompt, output } = composition;
  const sections = [
    [about ? `${name}   ${about}` : name, ...(source ? [`source: ${source}`] : [])],
    ['models', `  ${counted(experts, 'expert')}, each ${expert.name}, behind ${router.name}`],
    [
      'requests',
      `  ${whole(batches)} x ${whole(batch)}: prompts of ${counted(prompt, 'token')}, answers of ${counted(output, 'token')}`,
      `  experts by ${choiceText(composition)}; from a full tier goes what ${leavingText(composition)}`,
    ],
    [memoryTitle(composition), ...memoryLines(composition).map((line) => `  ${line}`)],
  ];
  return `${sections.map((lines) => lines.join('\n')).join('\n\n')}\n`;
}

function choiceText({ choice }: ExpertComposition): string {
  return choice.kind === 'zipf' ? `zipf(${significant(choice.exponent)})` : choice.kind;
}

function leavingText({ replacement }: ExpertComposition): string {
  return { lru: 'was used longest ago', lfu: 'was used least', fifo: 'came first' }[replacement];
}

function memoryTitle({ share }: ExpertComposition): string {
  return share.tensor === 1 ? 'memory of the device' : `memory of one of ${whole(share.tensor)} devices`;
}

function memoryLines({ experts, expert, router, share, batch, prompt, output }: ExpertComposition): string[] {
  const [one, routing] = [expert, router].map((model) => weightBytesOf(model, share, model.layers, true));
  const cache = (requests: number, tokens: number, model: typeof expert): number =>
    requests * tokens * cacheBytesPerToken(model, share, model.layers);
  return table(
    [
      ['an expert', bytesText(one ?? 0)],
      ['all experts', bytesText(experts * (one ?? 0))],
      ['router', bytesText(routing ?? 0)],
      ["an expert's cache", bytesText(cache(1, prompt + output, expert))],
      ["the router's cache", bytesText(cache(batch, prompt, router))],
    ],
    [1],
  );
}
