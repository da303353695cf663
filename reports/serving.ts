/** A model that was served, in lines for a terminal. */
import type { Result, Spread } from '../models/result.ts';
import { count, fraction, missing, seconds, share } from './format.ts';
import { atWork, bySide, meanIteration, sideName } from './sides.ts';

type Line = [label: string, text: string];

/** Operators named of a side, and commands named of a memory. */
const operatorLimit = 3;
const commandLimit = 5;

const several = (number: number, one: string): string => `${count(number)} ${one}${number === 1 ? '' : 's'}`;

/** Tokens, where the time went, how requests fared, and commands of memories that compute. */
export function servingLines(result: Result): Line[] {
  const { serving } = result;
  if (serving === undefined) return [];
  return [...tokenLines(result), ...timeLines(result), ...requestLines(result), ...commandLines(result)];
}

function tokenLines({ serving }: Result): Line[] {
  if (serving === undefined) return [];
  const { tokens, tokensPerSecond, iterations, phase, layers, modelLayers } = serving;
  const each = seconds(meanIteration(serving));
  const parts = [
    `${count(tokensPerSecond)} /s${phase === 'prefill' ? ' of prompts' : ''}`,
    ...(phase === 'decode' ? [`${each} between tokens`] : []),
    `${count(tokens)} in ${several(iterations.length, 'iteration')}${phase === 'decode' ? '' : ` of ${each}`}`,
    ...(layers < modelLayers ? [`${layers} of ${several(modelLayers, 'layer')}`] : []),
  ];
  return [['tokens', parts.join('   ')]];
}

/** Of the run, by side and operator; sides may be at work at the same time. */
function timeLines({ serving, seconds: length }: Result): Line[] {
  if (serving === undefined) return [];
  const shown = bySide(serving).filter(({ seconds: all }) => fraction(all, length) >= 0.005);
  return shown.map(({ on, seconds: all, operators }, index): Line => {
    const named = operators
      .filter((operator) => fraction(atWork(operator), length) >= 0.005)
      .slice(0, operatorLimit)
      .map((operator) => `${operator.name} ${share(fraction(atWork(operator), length))}`);
    const which = named.length > 0 ? `: ${named.join(', ')}` : '';
    return [index === 0 ? 'time' : '', `${sideName(on)} ${share(fraction(all, length))}${which}`];
  });
}

function requestLines({ serving }: Result): Line[] {
  const requests = serving?.requests;
  if (requests === undefined) return [];
  const { queue, firstToken, betweenTokens, endToEnd } = requests;
  const of = (name: string, { mean, p99 }: Spread) => `${name} ${seconds(mean)} (p99 ${seconds(p99)})`;
  const parts = [
    of('queue', queue),
    of('first token', firstToken),
    of('between tokens', betweenTokens),
    of('end to end', endToEnd),
  ];
  return [['requests', `${count(requests.count)}   ${parts.join('   ')}`]];
}

/** Which commands of all were for PIM, and the most frequent of all. */
function commandLines({ memories }: Result): Line[] {
  return memories.flatMap(({ pim, commands }): Line[] => {
    if (pim === undefined) return [];
    const total = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0);
    const all = total(Object.values(commands));
    const own = total(pim.channels.map((channel) => total(channel.pim)));
    if (own === 0) return [];
    const most = Object.entries(commands)
      .filter(([, sent]) => sent > 0)
      .toSorted((a, b) => b[1] - a[1])
      .slice(0, commandLimit)
      .map(([name, sent]) => `${name} ${count(sent)}`);
    const part = all > 0 ? share(own / all) : missing;
    return [['PIM', `${count(own)} of ${count(all)} commands (${part})   ${most.join('   ')}`]];
  });
}
