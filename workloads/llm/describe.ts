/** Serving workloads as text. */
import type { List } from 'immutable';
import { counted } from '../../arch/language/describe.ts';
import { bytes as bytesText, significant, table, whole } from '../language/describe.ts';
import { type Batch, tokensOf } from './batch.ts';
import type { LlmModel } from './model.ts';
import { bytes, flops, type Operator, opPerByte } from './operator.ts';
import { embeddingOperators, layerOperators, lmHeadOperators } from './operators.ts';
import { cacheBytesPerToken, weightBytesOf } from './share.ts';
import { batchAt, type ServingWorkload } from './workload.ts';

/**
 * The report of `clockwright show`: the model, what the memory of a device holds in the last iteration, and the operators of
 * that iteration with their operations, bytes and operations per byte. Of a service, the iteration is one in which the
 * first `most` requests are half done.
 */
export function describeServing(workload: ServingWorkload): string {
  const { name, about, source, model } = workload;
  const batch = exampleBatch(workload);
  const sections: readonly (readonly string[])[] = [
    [about ? `${name}   ${about}` : name, ...(source ? [`source: ${source}`] : [])],
    [`model ${model.name}`, ...modelLines(model)],
    ['requests', ...requestLines(workload)],
    [deviceTitle(workload), ...memoryLines(workload, batch)],
    ...operatorSections(workload, batch),
  ];
  return `${sections
    .map(([title, ...lines]) => [title, ...lines.map((line) => `  ${line}`.trimEnd())].join('\n'))
    .join('\n\n')}\n`;
}

function modelLines(model: LlmModel): string[] {
  const { layers, hidden, heads, kvHeads, headSize, ffn, gated, experts, activeExperts, expertEvery } = model;
  const shared = kvHeads < heads ? `, ${kvHeads} of keys and values` : '';
  const every = expertEvery > 1 ? ` in every layer of ${expertEvery}` : '';
  return [
    `${whole(layers)} layers of ${whole(hidden)}, ${heads} heads of ${headSize}${shared}`,
    `networks of ${whole(ffn)} with ${model.activation}${gated ? ' and a gate' : ''}`,
    ...(experts > 0 ? [`${experts} experts${every}, ${activeExperts} for each token`] : []),
    `${billions(model.parameters())} parameters`,
  ];
}

function requestLines({ phase, requests, generate, arrivals, most }: ServingWorkload): string[] {
  if (phase !== 'serve') {
    const done = phase === 'prefill' ? 'their prompts' : `${counted(generate, 'token')} each`;
    const contexts = spread(requests.map(({ context }) => context));
    return [`${whole(requests.size)} in ${phase}: ${done}`, `contexts of ${contexts}`];
  }
  const seconds = (arrivals.last()?.at ?? 0) / 1e12;
  return [
    `${whole(arrivals.size)} in ${significant(seconds)} s, at most ${whole(most)} at a time`,
    `prompts of ${spread(arrivals.map(({ prompt }) => prompt))}`,
    `answers of ${spread(arrivals.map(({ output }) => output))}`,
  ];
}

function deviceTitle({ share, pipeline }: ServingWorkload): string {
  const devices = share.tensor * share.data * pipeline;
  if (devices === 1) return 'memory of the device';
  const parts = Object.entries({ tensor: share.tensor, data: share.data, expert: share.expert, pipeline });
  const shown = parts.filter(([, count]) => count > 1).map(([name, count]) => `${name} ${count}`);
  return `memory of one of ${whole(devices)} devices (${shown.join(', ')})`;
}

function memoryLines(workload: ServingWorkload, batch: Batch): string[] {
  const { model, share, layers, isWhole, pipeline } = workload;
  const mine = Math.ceil(layers / pipeline);
  const layerBytes = weightBytesOf(model, share, mine, false);
  const ends = weightBytesOf(model, share, 0, true);
  const token = cacheBytesPerToken(model, share, mine);
  const tokens = [...batch.prefill, ...batch.decode].reduce((all, { context }) => all + context, 0);
  const where = pipeline > 1 ? 'on the first and the last stage together' : 'and the last product';
  return table(
    [
      ['weights', bytesText(layerBytes), `of ${whole(mine)} of ${counted(model.layers, 'layer')}`],
      ...(isWhole ? [['embeddings', bytesText(ends), where]] : []),
      ['cache', bytesText(token * tokens), `${bytesText(token)} for each of ${counted(tokens, 'token')}`],
    ],
    [1],
  );
}

function operatorSections(workload: ServingWorkload, batch: Batch): string[][] {
  const { model, share, layers, isWhole } = workload;
  const kinds = [...new Set(Array.from({ length: layers }, (_, layer) => model.hasExperts(layer)))];
  const what = `${counted(batch.prefill.length + batch.decode.length, 'request')}, ${counted(tokensOf(batch), 'token')}`;
  const ofLayers = kinds.map((withExperts) => {
    const same = Array.from({ length: layers }, (_, layer) => layer).filter((l) => model.hasExperts(l) === withExperts);
    const title = `${model.experts > 0 ? (withExperts ? 'layer with experts' : 'layer without experts') : 'layer'}, ${whole(same.length)} of them`;
    return [`${title}: ${what}`, ...operatorLines(layerOperators(model, same[0]!, share, batch))];
  });
  if (!isWhole) return ofLayers;
  const ends = [...embeddingOperators(model, share, batch), ...lmHeadOperators(model, share, batch)];
  return [...ofLayers, ['before and after the layers', ...operatorLines(ends)]];
}

function operatorLines(operators: List<Operator> | readonly Operator[]): string[] {
  const rows = [...operators].map((operator) => [
    operator.kind === 'scores' || operator.kind === 'softmax' || operator.kind === 'context'
      ? `${operator.name}, ${operator.phase}`
      : operator.name,
    sizeText(operator),
    whole(flops(operator)),
    bytesText(bytes(operator)),
    significant(opPerByte(operator)),
  ]);
  const [work, moved] = [flops, bytes].map((of) => [...operators].reduce((all, operator) => all + of(operator), 0));
  const total = ['in all', '', whole(work!), bytesText(moved!), significant(moved! > 0 ? work! / moved! : 0)];
  return table([['', 'size', 'operations', 'bytes', 'ops/B'], ...rows, total], [2, 3, 4]);
}

function sizeText(operator: Operator): string {
  switch (operator.kind) {
    case 'matmul':
      return `${operator.tokens} x ${operator.inputs} x ${operator.outputs}`;
    case 'experts':
      return `${counts(operator.tokens)} x ${operator.inputs} x ${operator.outputs}`;
    case 'scores':
    case 'softmax':
    case 'context':
      return `${counted(operator.kvHeads, 'head')} of keys, ${operator.group} of queries each, of ${operator.headSize}`;
    case 'vector':
      return `${operator.rows} x ${operator.rows > 0 ? operator.elements / operator.rows : 0}`;
    case 'collective':
      return `${operator.pattern} of ${operator.devices} devices`;
  }
}

/** Experts that are shown one by one. */
const mostExperts = 8;

function counts(tokens: readonly number[]): string {
  if (tokens.length <= mostExperts) return `(${tokens.join(' ')})`;
  return `(${Math.min(...tokens)} to ${Math.max(...tokens)} in ${tokens.length})`;
}

/** The last iteration; of a service, one in which the first requests are half done. */
function exampleBatch(workload: ServingWorkload): Batch {
  if (workload.phase !== 'serve') return batchAt(workload, workload.generate - 1);
  const running = workload.arrivals.take(workload.most).toArray();
  const decode = running.map(({ request, prompt, output }) => {
    return { request, queries: 1, context: prompt + Math.max(1, Math.floor(output / 2)) };
  });
  return { prefill: [], decode, iteration: 0, routing: workload.routing };
}

/** `1 to 2,048 tokens, 299.9 on average`, or the one value that all are. */
function spread(values: List<number>): string {
  const [least, most] = [values.min() ?? 0, values.max() ?? 0];
  if (least === most) return counted(least, 'token');
  const mean = values.reduce((all, value) => all + value, 0) / values.size;
  return `${whole(least)} to ${counted(most, 'token')}, ${significant(mean)} on average`;
}

function billions(value: number): string {
  return value < 1e9 ? `${significant(value / 1e6)} million` : `${significant(value / 1e9)} billion`;
}
