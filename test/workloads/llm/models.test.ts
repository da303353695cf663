import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { loadModels } from '../../../workloads/llm/models.ts';
import { DeviceShare, shareMistake, weightBytesOf } from '../../../workloads/llm/share.ts';
import { Scratch } from '../../cli/command.ts';
import { anyModel, anyShare } from './arbitraries.ts';

const scratch = new Scratch();
afterAll(() => scratch.remove());
const models = loadModels();

it.each([...models])('%s has the parameters that its source gives, within 3 %%', (_, { model, published, source }) => {
  expect(Math.abs(model.parameters() / published - 1)).toBeLessThan(0.03);
  expect(source).not.toBe('');
});

// Sizes of the published checkpoints, to the last weight.
it.each([
  ['gpt2-small', 124_439_808],
  ['gpt2-medium', 354_823_168],
  ['gpt2-large', 774_030_080],
  ['gpt2-xl', 1_557_611_200],
  ['opt-125m', 125_239_296],
  ['llama-2-7b', 6_738_415_616],
  ['llama-2-13b', 13_015_864_320],
  ['llama-2-70b', 68_976_648_192],
  ['llama-3-8b', 8_030_261_248],
  ['llama-3-70b', 70_553_706_496],
  ['mixtral-8x7b', 46_702_792_704],
])('%s has exactly %d parameters', (name, parameters) => {
  expect(models.get(name)!.model.parameters()).toBe(parameters);
});

it('knows a model by a second name', () => {
  expect(models.get('gpt3-7b')).toBe(models.get('gpt3-6.7b'));
});

it('has experts in every other layer of GLaM, and in all of Mixtral', () => {
  const [glam, mixtral] = ['glam-143b', 'mixtral-8x7b'].map((name) => models.get(name)!.model);
  expect([0, 1, 2, 3].map((layer) => glam!.hasExperts(layer))).toEqual([false, true, false, true]);
  expect([0, 1].map((layer) => mixtral!.hasExperts(layer))).toEqual([true, true]);
});

describe('what devices have of a model', () => {
  it('is everything, when there is one', () => {
    fc.assert(
      fc.property(anyModel, (model) => {
        const bytes = weightBytesOf(model, new DeviceShare({ weights: 2 }), model.layers, true);
        expect(bytes).toBe(2 * model.parameters());
      }),
    );
  });

  it('is at least its part of everything, and at most everything', () => {
    fc.assert(
      fc.property(
        anyModel.chain((model) => fc.tuple(fc.constant(model), anyShare(model))),
        ([model, share]) => {
          expect(shareMistake(model, share)).toBeNull();
          const bytes = weightBytesOf(model, share, model.layers, true);
          const all = share.weights * model.parameters();
          expect(bytes * share.tensor * share.data).toBeGreaterThanOrEqual(all * (1 - 1e-12));
          expect(bytes).toBeLessThanOrEqual(all);
        },
      ),
    );
  });

  it.each([
    ['gpt3-6.7b', { tensor: 3 }, '3 devices cannot share 32 heads equally'],
    ['gpt2-xl', { tensor: 2 }, '2 devices cannot share 25 heads equally'],
    ['gpt3-6.7b', { expert: 2, tensor: 2 }, 'there are no experts to spread'],
    ['mixtral-8x7b', { tensor: 4, expert: 3 }, '4 devices cannot make 3 equal groups'],
    [
      'mixtral-8x7b',
      { tensor: 4, data: 2, expert: 1 },
      'the number of groups for experts, 1, is no multiple of the 2 replicas',
    ],
    ['mixtral-8x7b', { tensor: 16, expert: 16 }, '16 groups cannot have equally many of 8 experts'],
    ['mixtral-8x7b', { device: 1 }, 'there is no device 1 of 1'],
  ])('cannot be shared: %s on %j', (name, share, mistake) => {
    expect(shareMistake(models.get(name)!.model, new DeviceShare(share))).toBe(mistake);
  });
});

describe('a table of models', () => {
  const row = 'families:\n  mine:\n    source: here\n    vocabulary: 100\n    models:\n';
  it.each([
    ['m: { layers: 2, hidden: 10, heads: 3, published: 1 }', '10 elements are not 3 equal heads'],
    [
      'm: { layers: 2, hidden: 12, heads: 3, kvHeads: 2, published: 1 }',
      '2 heads of keys do not go into 3 heads equally',
    ],
    ['m: { layers: 2, hidden: 12, published: 1 }', '"heads" is missing'],
    ['m: { layers: 2, hidden: 12, heads: 3, experts: 4, published: 1 }', '"activeExperts" is missing'],
    [
      'm: { layers: 2, hidden: 12, heads: 3, experts: 4, activeExperts: 5, published: 1 }',
      'a token goes to 5 of 4 experts',
    ],
    ['m: { layers: 2, hiden: 12, heads: 3, published: 1 }', 'unknown key "hiden"'],
    ['m: { layers: 2, hidden: 12, heads: 3 }', '"published" is missing'],
  ])('with %s: %s', (text, message) => {
    const file = scratch.write('models.yaml', `${row}      ${text}\n`);
    expect(() => loadModels(file)).toThrow(`models.yaml:6:`);
    expect(() => loadModels(file)).toThrow(message);
  });
});
