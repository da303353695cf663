import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Batch, tokensOf } from '../../../workloads/llm/batch.ts';
import type { LlmModel } from '../../../workloads/llm/model.ts';
import { loadModels } from '../../../workloads/llm/models.ts';
import { bytes, flops, type Operator, opPerByte, pairs, weightBytes } from '../../../workloads/llm/operator.ts';
import { embeddingOperators, layerOperators, lmHeadOperators, stageSend } from '../../../workloads/llm/operators.ts';
import { Routing } from '../../../workloads/llm/routing.ts';
import { DeviceShare } from '../../../workloads/llm/share.ts';
import { anyBatch, anyModel, anyShare } from './arbitraries.ts';

const model = (name: string): LlmModel => loadModels().get(name)!.model;
const routing = new Routing();
const decode = (requests: number, context: number): Batch => ({
  prefill: [],
  decode: Array.from({ length: requests }, (_, request) => ({ request, queries: 1, context })),
  iteration: 0,
  routing,
});
const named = (operators: Iterable<Operator>, name: string): Operator =>
  [...operators].find((operator) => operator.name === name)!;
const namesOf = (operators: Iterable<Operator>): string[] => [...operators].map(({ name }) => name);
const sum = (values: readonly number[]): number => values.reduce((all, value) => all + value, 0);

describe('a layer of GPT-3 6.7B on one of 4 devices, as NeuPIMs has it', () => {
  const layer = layerOperators(model('gpt3-7b'), 0, new DeviceShare({ tensor: 4 }), decode(512, 300));

  it('is these operators, one after another', () => {
    expect(namesOf(layer)).toEqual([
      'attention-norm',
      'qkv',
      'scores',
      'softmax',
      'context',
      'projection',
      'attention-reduce',
      'attention-residual',
      'ffn-norm',
      'ffn-up',
      'gelu',
      'ffn-down',
      'ffn-reduce',
      'ffn-residual',
    ]);
    expect([...layer].map(({ after }) => after)).toEqual([
      ...[[], [0], [1], [2], [3], [4], [5], [6], [7], [8], [9], [10], [11]],
      [12, 7],
    ]);
  });

  it('multiplies 4096 x 3072, 1024 x 4096, 4096 x 4096 and 4096 x 4096', () => {
    const sizes = [...layer].flatMap((one) => (one.kind === 'matmul' ? [[one.tokens, one.inputs, one.outputs]] : []));
    expect(sizes).toEqual([
      [512, 4096, 3072],
      [512, 1024, 4096],
      [512, 4096, 4096],
      [512, 4096, 4096],
    ]);
  });

  it('attends with 8 heads of its own, to keys that are read once', () => {
    const scores = named(layer, 'scores');
    expect(scores).toMatchObject({ kind: 'scores', phase: 'decode', kvHeads: 8, group: 1, headSize: 128, cache: 2 });
    expect(flops(scores)).toBe(2 * 512 * 8 * 300 * 128);
    expect(bytes(scores)).toBe(2 * 512 * 8 * (300 * 128 + 300 + 128));
    expect(flops(named(layer, 'softmax'))).toBe(512 * 8 * (300 * 5 + 1));
  });

  it('sums what all devices have, an element for each token', () => {
    expect(named(layer, 'ffn-reduce')).toMatchObject({ pattern: 'all-reduce', bytes: 512 * 4096 * 2, devices: 4 });
  });
});

describe('operations per byte', () => {
  it('of a product of few tokens are their number, at two bytes a weight', () => {
    const up = named(layerOperators(model('gpt3-175b'), 0, new DeviceShare(), decode(4, 100)), 'ffn-up');
    expect(opPerByte(up)).toBeCloseTo(4, 2);
  });

  it('of attention are the heads of queries that share keys', () => {
    for (const [name, group] of [
      ['gpt3-175b', 1],
      ['mixtral-8x7b', 4],
      ['grok-1-314b', 6],
      ['llama-3-70b', 8],
    ] as const) {
      const layer = layerOperators(model(name), 0, new DeviceShare(), decode(8, 4096));
      // Keys are read once for the group; queries and scores make up the rest.
      expect(opPerByte(named(layer, 'scores')), name).toBeCloseTo(group / (1 + group / 128 + group / 4096), 10);
    }
  });

  it('of experts fall with the tokens that each gets', () => {
    const experts = (device: number): Operator => {
      const share = new DeviceShare({ tensor: 4, expert: 4, device });
      return named(layerOperators(model('mixtral-8x7b'), 0, share, decode(32, 100)), 'expert-up');
    };
    // 64 copies of 32 tokens are 8 for each of 8 experts.
    expect([0, 3].map((device) => opPerByte(experts(device)))).toEqual([0, 3].map(() => expect.closeTo(8, 0)));
    expect(weightBytes(experts(0) as never)).toBe(2 * 2 * 4096 * 14336);
  });

  it('of what only moves are none', () => {
    const layer = layerOperators(model('gpt3-7b'), 0, new DeviceShare({ tensor: 2 }), decode(1, 1));
    expect(opPerByte(named(layer, 'ffn-reduce'))).toBe(0);
  });
});

describe('attention with a causal mask', () => {
  it('counts the pairs that a loop over queries and keys finds', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20 }), fc.nat({ max: 20 }), (queries, before) => {
        const context = queries + before;
        let found = 0;
        for (let query = 0; query < queries; query++)
          for (let key = 0; key < context; key++) if (key <= before + query) found++;
        expect(pairs({ request: 0, queries, context })).toBe(found);
      }),
    );
  });

  it('keeps prompts and generation apart', () => {
    const batch: Batch = { ...decode(2, 5), prefill: [{ request: 7, queries: 3, context: 3 }] };
    const layer = layerOperators(model('gpt3-7b'), 0, new DeviceShare(), batch);
    const attention = [...layer].flatMap((one) => (one.kind === 'context' ? [one] : []));
    expect(attention.map(({ phase, requests }) => [phase, requests.length])).toEqual([
      ['prefill', 1],
      ['decode', 2],
    ]);
    expect(named(layer, 'projection').after).toEqual(attention.map((one) => layer.indexOf(one)));
    expect(named(layer, 'qkv')).toMatchObject({ tokens: 5 });
    const [, , ...last] = lmHeadOperators(model('gpt3-7b'), new DeviceShare(), batch);
    expect(last).toEqual([]);
    expect(named(lmHeadOperators(model('gpt3-7b'), new DeviceShare(), batch), 'lm-head')).toMatchObject({ tokens: 3 });
  });
});

/** All operators of an iteration, list after list. */
function everything(of: LlmModel, share: DeviceShare, batch: Batch): Operator[][] {
  const layers = Array.from({ length: of.layers }, (_, layer) => layerOperators(of, layer, share, batch).toArray());
  return [
    embeddingOperators(of, share, batch).toArray(),
    ...layers,
    lmHeadOperators(of, share, batch).toArray(),
    [stageSend(of, share, batch)],
  ];
}

const anyCase = anyModel.chain((of) => fc.tuple(fc.constant(of), anyShare(of), anyBatch));

describe('operators of any model', () => {
  it('wait for operators before them, and all but the last are waited for', () => {
    fc.assert(
      fc.property(anyCase, ([of, share, batch]) => {
        for (const list of everything(of, share, batch)) {
          const awaited = new Set(list.flatMap(({ after }) => after));
          list.forEach(({ after }, index) => {
            for (const before of after) expect(before).toBeLessThan(index);
            if (index < list.length - 1) expect(awaited).toContain(index);
          });
        }
      }),
    );
  });

  it('have whole sizes, and need some bytes for their work', () => {
    fc.assert(
      fc.property(anyCase, ([of, share, batch]) => {
        for (const operator of everything(of, share, batch).flat()) {
          expect(Number.isInteger(flops(operator))).toBe(true);
          if (flops(operator) > 0) expect(bytes(operator)).toBeGreaterThan(0);
        }
      }),
    );
  });

  it('multiply on all devices together what one device would, when heads can be shared', () => {
    const products = (list: readonly Operator[]): number =>
      sum(list.filter(({ kind, name }) => kind !== 'vector' && name !== 'router' && name !== 'softmax').map(flops));
    fc.assert(
      fc.property(
        anyCase.filter(([of, { tensor, data }]) => of.kvHeads % tensor === 0 && data === 1),
        fc.nat({ max: 3 }),
        ([of, share, batch], seed) => {
          const layer = seed % of.layers;
          const one = layerOperators(of, layer, new DeviceShare(), batch).toArray();
          const all = Array.from({ length: share.tensor }, (_, device) =>
            products(layerOperators(of, layer, share.set('device', device), batch).toArray()),
          );
          expect(sum(all)).toBe(products(one));
        },
      ),
    );
  });

  it('send each token of all replicas to as many experts as it needs', () => {
    fc.assert(
      fc.property(
        anyCase.filter(([of]) => of.hasExperts(of.layers - 1)),
        ([of, share, batch]) => {
          const groups = Array.from({ length: share.expert }, (_, group) => {
            const layer = layerOperators(of, of.layers - 1, share.set('device', group * share.expertTensor), batch);
            const up = named(layer, 'expert-up');
            return up.kind === 'experts' ? up.tokens : [];
          });
          expect(groups.flat()).toHaveLength(of.experts);
          expect(sum(groups.flat())).toBe(tokensOf(batch) * share.data * of.activeExperts);
        },
      ),
    );
  });

  it('read the weights that the model has', () => {
    fc.assert(
      fc.property(anyModel, (of) => {
        // Enough tokens for all experts.
        const list = layerOperators(of, of.layers - 1, new DeviceShare(), decode(8, 1));
        const read = sum(
          [...list].map((one) => (one.kind === 'matmul' || one.kind === 'experts' ? weightBytes(one) : 0)),
        );
        const products = of.set('biases', false).layerParameters(of.layers - 1) - 2 * of.hidden;
        expect(read).toBe(2 * products);
      }),
    );
  });
});

it('refuses what cannot be shared, and layers that there are not', () => {
  const share = new DeviceShare({ tensor: 3 });
  expect(() => layerOperators(model('gpt3-7b'), 0, share, decode(1, 1))).toThrow('3 devices cannot share 32 heads');
  expect(() => layerOperators(model('gpt3-7b'), 32, new DeviceShare(), decode(1, 1))).toThrow('has no layer 32');
});

it('exchanges tokens between replicas that share experts', () => {
  const share = new DeviceShare({ tensor: 2, data: 2, expert: 4 });
  const layer = layerOperators(model('mixtral-8x7b'), 0, share, decode(10, 8));
  const collectives = [...layer].flatMap((one) =>
    one.kind === 'collective' ? [[one.name, one.pattern, one.bytes, one.devices]] : [],
  );
  expect(collectives).toEqual([
    ['attention-reduce', 'all-reduce', 10 * 4096 * 2, 2],
    // Each of two devices sends half of the tokens, twice.
    ['dispatch', 'all-to-all', (10 * 2 * 4096 * 2) / 2, 4],
    ['collect', 'all-to-all', (10 * 2 * 4096 * 2) / 2, 4],
    ['ffn-gather', 'all-gather', 10 * 4096 * 2, 2],
  ]);
});
