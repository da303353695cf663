import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { formatDiagnostics, InputError } from '../../arch/language/diagnostics.ts';
import { libraryFile, packageRoot } from '../../arch/language/library.ts';
import { loadArch } from '../../arch/language/load.ts';
import { kindOf } from '../../cli/kind.ts';
import { describeServingMapping } from '../../workloads/language/describe-serving-mapping.ts';
import { checkServing, fits, layoutLosses } from '../../workloads/language/serving-check.ts';
import {
  type EngineOperator,
  loadServingMapping,
  operatorNames,
  parseServingMapping,
  placementOf,
} from '../../workloads/language/serving-mapping.ts';
import { loadModels } from '../../workloads/llm/models.ts';
import type { Operator } from '../../workloads/llm/operator.ts';
import { embeddingOperators, layerOperators, lmHeadOperators } from '../../workloads/llm/operators.ts';
import { Routing } from '../../workloads/llm/routing.ts';
import { DeviceShare } from '../../workloads/llm/share.ts';

const folder = join(packageRoot, 'workloads/mappings');
const shipped = readdirSync(folder)
  .filter((file) => file.endsWith('.yaml') && kindOf(join(folder, file)) === 'serving mapping')
  .map((file) => file.replace('.yaml', ''));

const parsed = (...lines: string[]) => parseServingMapping(['mapping: test', ...lines].join('\n'), 'test.yaml');

function mistakes(...lines: string[]): string {
  try {
    parsed(...lines);
  } catch (error) {
    if (error instanceof InputError) return error.message;
    throw error;
  }
  return 'no mistake';
}

const all = 'place: [{ on: array }]';
const batch = {
  prefill: [{ request: 1, queries: 300, context: 300 }],
  decode: [{ request: 0, queries: 1, context: 700 }],
  iteration: 0,
  routing: new Routing(),
};

/** Operators of all shipped models, of a layer with experts and one without. */
const operators: readonly EngineOperator[] = [...loadModels().values()]
  .flatMap(({ model }): Operator[] => {
    const share = new DeviceShare();
    return [
      ...[0, 1].flatMap((layer) => layerOperators(model, layer, share, batch).toArray()),
      ...embeddingOperators(model, share, batch),
      ...lmHeadOperators(model, share, batch),
    ];
  })
  .flatMap((operator) => (operator.kind === 'collective' ? [] : [operator]));

const operator = (name: string, phase?: string) => {
  const found = operators.find((one) => one.name === name && (!phase || ('phase' in one && one.phase === phase)));
  if (!found) throw new Error(`there is no ${name}`);
  return found;
};

it('knows every operator of every model', () => {
  const known = Object.values(operatorNames).flat();
  const missing = operators.filter(({ kind, name }) => !known.includes(name) && kind !== name).map(({ name }) => name);
  expect([...new Set(missing)]).toEqual([]);
});

describe.each(shipped)('mappings/%s', (name) => {
  const loaded = loadServingMapping(name);
  const { mapping } = loaded;
  const found = libraryFile('arch', mapping.machine);

  it('is named after its file, and says where it comes from', () => {
    expect([mapping.name, mapping.workload]).toEqual([name, 'llm']);
    expect(mapping.about.length * mapping.source.length).toBeGreaterThan(0);
  });

  it('runs every operator, on what its machine has', () => {
    for (const one of operators) expect(['array', 'vector', 'pim']).toContain(placementOf(mapping, one));
    if ('file' in found) expect(checkServing(loaded, loadArch(found.file))).toEqual([]);
    else expect(mapping.machine).toBe('');
  });
});

describe('where an operator runs', () => {
  it('says the first rule that fits: by name, kind, phase or operations per byte', () => {
    const { mapping } = parsed(
      'place:',
      '  - { operators: [scores, context], phase: decode, on: pim }',
      '  - { operators: qkv, on: vector }',
      '  - { operators: matmul, below: 8 Op/B, on: pim }',
      '  - { operators: [softmax, vector], on: vector }',
      '  - { on: array }',
    );
    const place = (name: string, phase?: string) => placementOf(mapping, operator(name, phase));
    expect([place('scores', 'decode'), place('scores', 'prefill')]).toEqual(['pim', 'array']);
    expect([place('qkv'), place('projection'), place('gelu')]).toEqual(['vector', 'array', 'vector']);
    // The last product has 2 tokens: 2 operations for each byte of its weights.
    expect(place('lm-head')).toBe('pim');
  });

  it('is in memory for products alone where a rule for it names no operator', () => {
    const { mapping } = parsed(
      'place: [{ below: 8 Op/B, on: pim }, { operators: [softmax, vector], on: vector }, { on: array }]',
    );
    expect(placementOf(mapping, operator('attention-norm'))).toBe('vector');
    expect(placementOf(mapping, operator('scores', 'decode'))).toBe('pim');
  });
});

describe('a mistake in a serving mapping:', () => {
  it.each([
    [
      ['place: [{ operators: [scroes], on: pim }, { on: array }]'],
      'there is no operator "scroes"',
      'did you mean "scores"?',
    ],
    [
      ['place: [{ operators: qkv, phase: decode, on: array }, { on: array }]'],
      'qkv works for all requests',
      'of scores, softmax, context',
    ],
    [['place: [{ operators: [scores], on: gpu }, { on: array }]'], '"gpu" is no on', 'one of array, vector, pim'],
    [
      ['place: [{ operators: [scores], below: 8, on: pim }, { on: array }]'],
      '8 has no unit, but below needs an operational intensity',
      'write "8 Op/B"',
    ],
    [
      ['place: [{ on: array }, { operators: scores, on: pim }]'],
      'the rules above it leave nothing to this one',
      'move it up',
    ],
    [
      ['place: [{ operators: [matmul, experts], on: array }]'],
      'nothing says where scores, softmax, context and 13 more run',
      '- { on: array }',
    ],
    [
      ['place: [{ below: 8 Op/B, on: pim }, { operators: vector, on: vector }]'],
      'nothing says where qkv, projection, ffn-gate and',
      'for all others',
    ],
    [[], '"place" is missing', ''],
    [
      [all, 'layout: { keys: { token: bank, dimension: bank } }'],
      'token and dimension of keys both run over bank',
      'a level has one',
    ],
    [[all, 'layout: { keys: { tokens: bank } }'], 'unknown key "tokens" in keys', 'did you mean "token"?'],
    [[all, 'layout: { weights: { token: bank } }'], 'unknown key "token" in weights', 'output'],
    [[all, 'channels: balance'], '"balance" is no channels', 'did you mean "balanced"?'],
    [[all, 'sub-batches: 0'], '0 is zero, but sub-batches cannot be', ''],
    [[all, 'sub-batch: 2'], 'unknown key "sub-batch"', 'did you mean "sub-batches"?'],
  ])('%j', (lines, message, hint) => {
    const found = mistakes(...lines);
    expect(found).toContain(message);
    expect(found).toContain(hint);
    expect(found).toMatch(/^test\.yaml:\d+:\d+ /);
  });

  it('phases are each placed once', () => {
    const rules = ['{ operators: scores, phase: decode, on: pim }', '{ operators: scores, phase: prefill, on: array }'];
    expect(mistakes(`place: [${rules.join(', ')}, { operators: scores, on: array }, { on: array }]`)).toContain(
      'the rules above it leave nothing to this one',
    );
    expect(mistakes(`place: [${rules.join(', ')}, { on: array }]`)).toBe('no mistake');
  });
});

describe('on a machine', () => {
  const wrong = (machine: string, ...lines: string[]) =>
    formatDiagnostics(checkServing(parsed(...lines), loadArch(machine)));

  it.each([
    ['h100', ['place: [{ operators: scores, on: pim }, { on: array }]'], 'no memory of h100 computes'],
    ['duplex', ['place: [{ operators: softmax, on: pim }, { on: array }]'], 'hbm has no command for softmax'],
    ['attacc', ['place: [{ operators: gelu, on: pim }, { on: array }]'], 'attacc has no command for gelu'],
    ['h100', [all, 'experts: split'], 'experts are split between an array and a memory that computes'],
    ['h100', [all, 'layout: { keys: { token: rank } }'], 'hbm has no level "rank"'],
    ['fusemax', [all, 'layout: { keys: { token: bank } }'], 'hbm has no level "bank"'],
  ])('%s: %j', (machine, lines, message) => {
    expect(wrong(machine, ...lines)).toMatch(new RegExp(`^test\\.yaml:\\d+:\\d+  ${message}`));
  });

  it('all that it asks for may be there', () => {
    expect(wrong('attacc', 'place: [{ operators: softmax, on: pim }, { on: array }]', 'experts: split')).toBe('');
  });
});

describe('a layout', () => {
  const duplex = loadArch('duplex');
  const { mapping } = loadServingMapping('duplex');

  it('counts the nodes of a level below those that it names above', () => {
    const text = describeServingMapping(mapping, duplex);
    expect(text).toContain('keys       request over 80 (channel); head over 4 (bank); token over 16');
    const { mapping: whole } = parsed(all, 'layout: { keys: { request: channel, token: bank } }');
    const [loss] = layoutLosses(whole, duplex, { keys: { token: 1 } });
    expect(loss?.ways).toBe(64);
  });

  it('tells what banks have less to do than others', () => {
    const losses = layoutLosses(mapping, duplex, {
      keys: { request: 80, head: 2, token: 40 },
      weights: { output: 2560 },
    });
    expect(losses.map(({ tensor, index, ways, loss }) => [tensor, index, ways, loss])).toEqual([
      ['keys', 'head', 4, 0.5],
      ['keys', 'token', 16, expect.closeTo(1 - 40 / 48, 12)],
    ]);
    expect(losses[1]?.message).toBe(
      'token of keys: 40 over 16 (pseudoChannel, stackId, bankGroup) leave 17 % of their time unused',
    );
  });
});

describe('a model', () => {
  const gib = 2 ** 30;
  const attacc = loadArch('attacc');
  const duplex = loadArch('duplex');
  const one = loadServingMapping('duplex').mapping;
  const two = loadServingMapping('attacc').mapping;

  it('fits a memory that holds its weights, keys and values', () => {
    expect(fits({ weights: 40 * gib, cache: 40 * gib }, one, duplex)).toEqual([]);
    expect(fits({ weights: 80 * gib, cache: 80 * gib }, two, attacc)).toEqual([]);
  });

  it('does not when a channel holds less: which one, and by how much', () => {
    const cache = Array<number>(80).fill(gib / 4);
    cache[7] = gib;
    expect(fits({ weights: 40 * gib, cache }, one, duplex)).toEqual([
      {
        message:
          'channel 7 of hbm needs 512 MiB for weights and 1 GiB for keys and values, 512 MiB more than the 1 GiB that it has',
        hint: 'take fewer or shorter requests, or more devices',
      },
    ]);
    cache[7] = gib / 4;
    expect(fits({ weights: 40 * gib, cache }, one, duplex)).toEqual([]);
  });

  it('does not when its weights alone are too many', () => {
    const [mistake] = fits({ weights: 350 * gib, cache: 0 }, one, duplex);
    expect(mistake?.message).toContain('each channel of hbm needs 4.375 GiB for weights and 0 B for keys and values');
    expect(mistake?.hint).toBe('share the weights out to 5 devices or more');
  });

  it('has its keys and values where attention is', () => {
    expect(fits({ weights: 10 * gib, cache: 90 * gib }, two, attacc)[0]?.message).toContain('channel of attacc');
    const gpu = loadServingMapping('gpu-only').mapping;
    expect(fits({ weights: 10 * gib, cache: 90 * gib }, gpu, attacc)[0]?.message).toContain('channel of hbm');
  });
});
