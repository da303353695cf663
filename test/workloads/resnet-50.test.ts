import { describe, expect, it } from 'vitest';
import { evaluate, randomInputs } from '../../workloads/language/evaluate.ts';
import { loadWorkload } from '../../workloads/language/load.ts';
import { operationCounts, sizeOf, totalOperations } from '../../workloads/language/shapes.ts';
import { einsumsOf, type Workload } from '../../workloads/language/workload.ts';

const file = 'workloads/resnet-50.yaml';
const { workload } = loadWorkload(file);

/** Elements of the weights and biases whose shapes satisfy a condition, those of every repetition. */
function parameters(condition: (dimensions: number) => boolean): number {
  const weights = workload.tensors.valueSeq().filter(({ name, role, shape }) => {
    return role === 'input' && name !== 'IMAGE' && condition(shape.size);
  });
  return weights.reduce((sum, tensor) => sum + sizeOf(tensor) * tensor.instances, 0);
}

const macsOf = (step: string): number =>
  workload.steps
    .find(({ name }) => name === step)!
    .einsums.reduce((sum, einsum) => sum + (operationCounts(workload, einsum).get('mac') ?? 0), 0);

describe('ResNet-50', () => {
  it('has the multiply-adds of torchvision, 4.09 G', () => {
    expect(totalOperations(workload).get('mac')).toBe(4_089_184_256);
    const batch = loadWorkload(file, { shape: ['N=8'] }).workload;
    expect(totalOperations(batch).get('mac')).toBe(8 * 4_089_184_256);
  });

  it('has 25.5 M parameters, those of torchvision with each pair of scale and shift as one bias', () => {
    // 53 convolutions and the fully connected layer; torchvision counts 25,557,032 with 2 x 26,560 of batch normalisation.
    expect(parameters((dimensions) => dimensions > 1)).toBe(25_502_912);
    expect(parameters((dimensions) => dimensions === 1)).toBe(26_560 + 1_000);
    expect(25_502_912 + 2 * 26_560 + 1_000).toBe(25_557_032);
  });

  it('has the blocks of table 1 in stages of halved size and doubled width', () => {
    const blocks = new Map<string, number>();
    for (const { name, repeat } of workload.steps) {
      const stage = /^(conv[2-5])_/.exec(name)?.[1];
      if (stage) blocks.set(stage, (blocks.get(stage) ?? 0) + repeat);
    }
    expect([...blocks]).toEqual([
      ['conv2', 3],
      ['conv3', 4],
      ['conv4', 6],
      ['conv5', 3],
    ]);
    const shape = (tensor: string) => workload.tensors.get(tensor)!.shape.toArray();
    expect(['X1', 'X2', 'X3', 'X4', 'X5', 'X6', 'LOGITS'].map(shape)).toEqual([
      [1, 64, 112, 112],
      [1, 64, 56, 56],
      [1, 256, 56, 56],
      [1, 512, 28, 28],
      [1, 1024, 14, 14],
      [1, 2048, 7, 7],
      [1, 1000],
    ]);
    expect([macsOf('conv1'), macsOf('conv2_x'), macsOf('classify')]).toEqual([118_013_952, 218_365_952, 2_048_000]);
  });

  it('is small: what repeats is written once', () => {
    expect(einsumsOf(workload).length).toBeLessThan(64);
  });

  it('computes what convolutions, pooling and shortcuts written as loops do', () => {
    const { workload: small } = loadWorkload(file, {
      shape: ['H=64', 'F=3', 'C1=2', 'D2=2', 'D3=3', 'D4=1', 'D5=2', 'N=2'],
    });
    const inputs = randomInputs(small, 11);
    const values = evaluate(small, inputs);
    const tensor = (name: string): Image => imageOf(small, values, name);
    const logits = tensor('LOGITS');
    network(tensor).forEach((row, n) => {
      row.forEach((value, f) => {
        expect(value / logits.at(n, f)).toBeCloseTo(1, 9);
      });
    });
  });
});

/** A tensor by position: zero outside its edges. */
interface Image {
  readonly shape: readonly number[];
  readonly at: (...position: number[]) => number;
}

function imageOf({ tensors }: Workload, values: ReadonlyMap<string, Float64Array>, name: string): Image {
  return image(tensors.get(name)!.shape.toArray(), values.get(name)!);
}

function image(shape: readonly number[], data: Float64Array): Image {
  const at = (...position: number[]): number => {
    if (position.some((i, d) => i < 0 || i >= shape[d]!)) return 0;
    return data[position.reduce((offset, i, d) => offset * shape[d]! + i, 0)]!;
  };
  return { shape, at };
}

/** An image of [n, channel, y, x]. */
function make(shape: readonly number[], value: (n: number, c: number, y: number, x: number) => number): Image {
  const [ns, cs, height, width] = shape as [number, number, number, number];
  const data = new Float64Array(ns * cs * height * width);
  for (let i = 0; i < data.length; i++) {
    const y = Math.floor(i / width) % height;
    const c = Math.floor(i / (width * height)) % cs;
    data[i] = value(Math.floor(i / (width * height * cs)), c, y, i % width);
  }
  return image(shape, data);
}

/** A square kernel of [to, from, r, s], or a 1 x 1 of [to, from], with half its width of padding, and a bias. */
function convolve(input: Image, weights: Image, bias: Image, stride = 1): Image {
  const [to, from, size = 1] = weights.shape as [number, number, number?];
  const [n, , height, width] = input.shape as [number, number, number, number];
  const margin = (size - 1) / 2;
  return make([n, to, height / stride, width / stride], (b, k, y, x) => {
    let sum = bias.at(k);
    for (let c = 0; c < from; c++)
      for (let r = 0; r < size; r++)
        for (let s = 0; s < size; s++) {
          const weight = size === 1 ? weights.at(k, c) : weights.at(k, c, r, s);
          sum += weight * input.at(b, c, stride * y + r - margin, stride * x + s - margin);
        }
    return sum;
  });
}

const relu = ({ shape, at }: Image): Image => make(shape, (...position) => Math.max(0, at(...position)));

/** Runs the blocks of a stage: the first one, and one for all the others, as a repetition has the values of one. */
function stage(input: Image, tensor: (name: string) => Image, name: string, stride: number): Image {
  const block = (step: string, x: Image, by: number): Image => {
    const [w1, w2, w3] = ['W1', 'W2', 'W3'].map((weight) => tensor(`${step}.${weight}`));
    const [b1, b2, b3] = ['B1', 'B2', 'B3'].map((bias) => tensor(`${step}.${bias}`));
    const inner = relu(convolve(relu(convolve(x, w1!, b1!)), w2!, b2!, by));
    const out = convolve(inner, w3!, b3!);
    const shortcut = step.endsWith('_1') ? convolve(x, tensor(`${step}.WS`), tensor(`${step}.BS`), by) : x;
    return relu(make(out.shape, (...position) => out.at(...position) + shortcut.at(...position)));
  };
  return block(`${name}_x`, block(`${name}_1`, input, stride), 1);
}

/** Logits by picture and class. */
function network(tensor: (name: string) => Image): number[][] {
  const first = relu(convolve(tensor('IMAGE'), tensor('W1'), tensor('B1'), 2));
  const [n, c, height, width] = first.shape as [number, number, number, number];
  let x = make([n, c, height / 2, width / 2], (b, k, y, z) => {
    const window = [-1, 0, 1].flatMap((r) => [-1, 0, 1].map((s) => first.at(b, k, 2 * y + r, 2 * z + s)));
    return Math.max(...window);
  });
  for (const [name, stride] of [
    ['conv2', 1] as const,
    ['conv3', 2] as const,
    ['conv4', 2] as const,
    ['conv5', 2] as const,
  ])
    x = stage(x, tensor, name, stride);
  const [, channels, rows, columns] = x.shape as [number, number, number, number];
  const [classifier, bias] = [tensor('WF'), tensor('BF')];
  return Array.from({ length: n }, (_, b) =>
    Array.from({ length: classifier.shape[0]! }, (_, f) => {
      let sum = bias.at(f);
      for (let k = 0; k < channels; k++)
        for (let y = 0; y < rows; y++)
          for (let z = 0; z < columns; z++) sum += (classifier.at(f, k) * x.at(b, k, y, z)) / (rows * columns);
      return sum;
    }),
  );
}
