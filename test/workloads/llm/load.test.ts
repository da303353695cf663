import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { describeServing } from '../../../workloads/llm/describe.ts';
import { loadServing, parseServing } from '../../../workloads/llm/load.ts';
import { servingJsonSchema } from '../../../workloads/llm/schema.ts';
import { batches, type ServingWorkload, schedule, stageLayers } from '../../../workloads/llm/workload.ts';
import { Scratch } from '../../cli/command.ts';

const scratch = new Scratch();
afterAll(() => scratch.remove());

/** Shipped files, by their names. */
const shipped = readdirSync('workloads')
  .filter((file) => file.endsWith('.yaml') && /^model:/m.test(readFileSync(`workloads/${file}`, 'utf8')))
  .map((file) => file.slice(0, -'.yaml'.length));

const head = 'workload: mine\nmodel: gpt3-7b\n';
const batch = 'batch: { requests: 4, context: 100 }\n';

function load(text: string): ServingWorkload {
  return loadServing(scratch.write('mine.yaml', text)).workload;
}

/** What is told of a file with mistakes, without its folder. */
function told(text: string): string {
  try {
    load(text);
  } catch (error) {
    return scratch.relative((error as Error).message);
  }
  throw new Error('there is no mistake');
}

describe.each(shipped)('%s', (name) => {
  const { workload } = loadServing(name);

  it('says what it is and where it comes from', () => {
    expect(workload.name).toBe(name);
    expect([workload.about, workload.source]).not.toContain('');
  });

  it('is equal when it is loaded again', () => {
    expect(loadServing(name).workload.equals(workload)).toBe(true);
  });

  it('can be described', () => {
    expect(describeServing(workload)).not.toMatch(/NaN|undefined|Infinity/);
  });
});

it('ships files for one device and several, for batches and a service', () => {
  const names = ['gpt2-xl-generate', 'gpt3-xl-generate', 'gpt3-175b-b256', 'gpt3-7b-sharegpt', 'gpt3-7b-sharegpt-balanced'];
  expect(shipped).toEqual(expect.arrayContaining([...names, 'llama3-70b-decode', 'mixtral-serving']));
});

describe('a batch', () => {
  it('from a trace keeps lengths and channels', () => {
    const { workload } = loadServing('gpt3-7b-sharegpt');
    const [only, ...more] = [...batches(workload)];
    expect(more).toEqual([]);
    expect(only!.decode).toHaveLength(512);
    expect(only!.decode.slice(0, 3)).toEqual([
      { request: 0, queries: 1, context: 2048, channel: 30 },
      { request: 1, queries: 1, context: 2048, channel: 31 },
      { request: 2, queries: 1, context: 1014, channel: 12 },
    ]);
    expect([workload.layers, workload.isWhole, workload.share.tensor]).toEqual([1, false, 4]);
  });

  it('generates tokens whose contexts grow', () => {
    const workload = load(`${head}batch: { requests: 2, context: 7 }\ngenerate: 3\n`);
    const found = [...batches(workload)].map(({ iteration, decode }) => [
      iteration,
      ...decode.map(({ context }) => context),
    ]);
    expect(found).toEqual([
      [0, 7, 7],
      [1, 8, 8],
      [2, 9, 9],
    ]);
  });

  it('begins with whole prompts', () => {
    const [only] = [...batches(load(`${head}${batch}phase: prefill\n`))];
    expect(only).toMatchObject({
      decode: [],
      prefill: [0, 1, 2, 3].map((request) => ({ request, queries: 100, context: 100 })),
    });
  });

  it('may have a trace without channels, with its columns in any order, and empty lines', () => {
    scratch.write('a.csv', 'seq_len\n5\n\n9\n');
    scratch.write('b.csv', 'ch_idx, seq_len\r\n3,5\r\n0, 9\r\n');
    const requests = (trace: string) => [...batches(load(`${head}batch: { trace: ${trace} }\n`))][0]!.decode;
    expect(requests('a.csv').map(({ context, channel }) => [context, channel])).toEqual([
      [5, undefined],
      [9, undefined],
    ]);
    expect(requests('b.csv').map(({ context, channel }) => [context, channel])).toEqual([
      [5, 3],
      [9, 0],
    ]);
  });
});

describe('a service', () => {
  it('draws its requests', () => {
    const { workload } = loadServing('mixtral-serving');
    expect([workload.phase, workload.most, workload.share.expertTensor]).toEqual(['serve', 64, 1]);
    // 60 s of 9 requests each second, within five standard deviations.
    expect(Math.abs(workload.arrivals.size - 540)).toBeLessThan(5 * Math.sqrt(540));
    expect(workload.arrivals.last()!.at).toBeLessThan(60e12);
    expect(workload.arrivals.every(({ prompt, output }) => prompt === 1024 && output === 512)).toBe(true);
    expect([...batches(workload)]).toEqual([]);
  });

  it('takes requests from a trace, by time', () => {
    scratch.write('r.csv', 'arrival_s,prompt,output\n2,10,1\n0.5,20,2\n');
    const workload = load(`${head}serve: { trace: r.csv, most: 2 }\n`);
    expect(workload.arrivals.toJS()).toEqual([
      { request: 1, at: 0.5e12, prompt: 20, output: 2 },
      { request: 0, at: 2e12, prompt: 10, output: 1 },
    ]);
    const running = schedule(workload);
    expect(running.next(0.5e12)).toMatchObject({ prefill: [{ request: 1, queries: 20, context: 20 }] });
  });
});

describe('a model', () => {
  const own = 'model: { layers: 4, hidden: 64, heads: 8, kvHeads: 2, vocabulary: 100, experts: 4, activeExperts: 2 }\n';

  it('can be described in place', () => {
    const { model } = load(`workload: mine\n${own}${batch}`);
    expect(model).toMatchObject({
      name: 'mine',
      headSize: 8,
      kvHeads: 2,
      ffn: 256,
      experts: 4,
      norm: 'layer',
      tied: true,
    });
  });

  it('has elements of the bytes that its types have', () => {
    const { share } = load(`${head}${batch}dtype: { weights: int4, cache: fp8 }\n`);
    expect([share.weights, share.activations, share.cache]).toEqual([0.5, 2, 1]);
  });

  it('routes tokens by a trace', () => {
    scratch.write('x.csv', 'layer,expert,tokens\n0,0,5\n0,2,1\n0,0,1\n1,3,1\n1,1,1\n');
    const { routing } = load(`workload: mine\n${own}${batch}routing: { trace: x.csv }\n`);
    expect(routing.weights.toJS()).toEqual([
      [6, 0, 1, 0],
      [0, 1, 0, 1],
    ]);
    const zipf = load(`workload: mine\n${own}${batch}routing: zipf(1.2)\nseed: 5\n`).routing;
    expect(zipf).toMatchObject({ kind: 'zipf', exponent: 1.2, seed: 5 });
  });

  it.each([
    ['0,4,1\n', 'the trace has an expert 4, but mine has 4 from 0'],
    ['1,0,1\n1,1,1\n', 'in layer 0 of the trace fewer than 2 experts have tokens'],
  ])('has no routing from %j', (rows, message) => {
    scratch.write('x.csv', `layer,expert,tokens\n${rows}`);
    expect(told(`workload: mine\n${own}${batch}routing: { trace: x.csv }\n`)).toContain(message);
  });
});

it('cuts layers into stages, the first ones longer', () => {
  const stages = [0, 1, 2, 3].map((stage) => stageLayers(10, 4, stage));
  expect(stages).toEqual([
    [0, 3],
    [3, 6],
    [6, 8],
    [8, 10],
  ]);
});

describe('a mistake is told with its place and what to do:', () => {
  it.each([
    [
      `workload: mine\nmodel: gpt3-7d\n${batch}`,
      `mine.yaml:2:8  there is no model "gpt3-7d"\n   2 | model: gpt3-7d\n     |        ^^^^^^^ did you mean "gpt3-7b"?`,
    ],
    [`${head}bach: { requests: 4 }\n`, 'mine.yaml:3:1  unknown key "bach"'],
    [`${head}`, 'mine.yaml:1:1  "batch" is missing'],
    [`${head}batch: { requests: 4 }\n`, 'mine.yaml:3:1  "context" is missing'],
    [
      `${head}batch: { requests: 4, context: lognormal(4) }\n`,
      'mine.yaml:3:32  "lognormal(4)" needs a mean and a sigma',
    ],
    [`${head}${batch}layers: 40\n`, 'mine.yaml:4:9  gpt3-6.7b has 32 layers, not 40'],
    [`${head}${batch}parallel: { tensor: 5 }\n`, 'mine.yaml:4:1  5 devices cannot share 32 heads equally'],
    [`${head}${batch}parallel: { pipeline: 40 }\n`, 'mine.yaml:4:23  32 layers cannot be cut into 40 stages'],
    [`${head}${batch}routing: uniform\n`, 'mine.yaml:4:1  gpt3-6.7b has no experts'],
    [`${head}${batch}routing: ziff(2)\n`, 'mine.yaml:4:10  "ziff(2)" is no routing'],
    [`${head}${batch}phase: prefill\ngenerate: 3\n`, 'mine.yaml:5:1  "generate" has no meaning in phase prefill'],
    [`${head}${batch}phase: serve\n`, 'mine.yaml:4:8  "serve" is missing'],
    [`${head}serve: { most: 4, prompt: 3 }\n`, 'mine.yaml:3:1  "output" is missing'],
    [`${head}serve: { most: 4, prompt: 3, output: 3 }\n`, 'mine.yaml:3:1  nothing says how many requests arrive'],
    [
      `${head}serve: { most: 4, prompt: 3, output: 3, arrivals: fixed(1/s), seconds: 0.5 }\n`,
      'mine.yaml:3:72  no request arrives in that time',
    ],
    [`${head}batch: { trace: no.csv }\n`, 'mine.yaml:3:17  cannot read no.csv: there is no such file or folder'],
    [`${head}dtype: fp17\n${batch}`, 'mine.yaml:3:8  "fp17" is no dtype'],
    [
      `workload: mine\nmodel: { layers: 2, hiden: 4 }\n${batch}`,
      'mine.yaml:2:21  unknown key "hiden" in model\n   2 | model: { layers: 2, hiden: 4 }\n     |                     ^^^^^ did you mean "hidden"?',
    ],
  ])('%j', (text, message) => {
    expect(told(text)).toContain(message);
  });

  it.each([
    ['', 'x.csv:1:1  there is no column ""'],
    [
      'seq_len,chidx\n1,2\n',
      'x.csv:1:9  there is no column "chidx"\n   1 | seq_len,chidx\n     |         ^^^^^ did you mean "ch_idx"?',
    ],
    ['ch_idx\n1\n', 'x.csv:1:1  the column "seq_len" is missing'],
    ['seq_len,seq_len\n1,2\n', 'x.csv:1:9  the column "seq_len" is there twice'],
    ['seq_len,ch_idx\n', 'x.csv has no rows'],
    [
      'seq_len,ch_idx\n12,3\n1e,3\n',
      'x.csv:3:1  "1e" is no seq_len\n   3 | 1e,3\n     | ^^ write a whole number of 1 or more',
    ],
    ['seq_len,ch_idx\n12,\n', 'x.csv:2:4  "ch_idx" is empty'],
    ['seq_len,ch_idx\n12, -1\n', 'x.csv:2:5  "-1" is no ch_idx'],
    ['seq_len,ch_idx\n12\n', 'x.csv:2:1  1 value for 2 columns'],
    ['seq_len,ch_idx\n0,1\n1.5,1\n', '2 mistakes'],
  ])('in a trace: %j', (text, message) => {
    scratch.write('x.csv', text);
    expect(told(`${head}batch: { trace: x.csv }\n`)).toContain(message);
  });

  it('tells all mistakes at once, and no more than twenty of a trace', () => {
    scratch.write('x.csv', `seq_len\n${'x\n'.repeat(50)}`);
    expect(told(`${head}batch: { trace: x.csv, requests: 3 }\nlayers: 99\n`)).toMatch(/22 mistakes$/);
  });
});

it('has a JSON schema with every key of the file', () => {
  const schema = servingJsonSchema() as { properties: object; required: string[]; additionalProperties: boolean };
  expect(Object.keys(schema.properties)).toEqual([
    ...['workload', 'about', 'source', 'model', 'dtype', 'layers', 'parallel'],
    ...['phase', 'batch', 'generate', 'serve', 'routing', 'seed'],
  ]);
  expect(schema.required).toEqual(['workload', 'model']);
  expect(schema.additionalProperties).toBe(false);
});

it('reads a text as it reads a file', () => {
  const text = readFileSync('workloads/gpt3-7b-sharegpt.yaml', 'utf8');
  expect(
    parseServing(text, 'workloads/gpt3-7b-sharegpt.yaml').workload.equals(loadServing('gpt3-7b-sharegpt').workload),
  ).toBe(true);
});
