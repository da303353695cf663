/** One row of a SCALE-Sim topology as a layer. */
import type { Diagnostic, Place } from '../../../arch/language/diagnostics.ts';
import { type ConvLayer, type GemmLayer, productOf, type ScaleSimLayer, type Sparsity } from './layer.ts';
import { type Field, mostWords, mostWordsText, wholeNumber } from './lines.ts';
import type { Row } from './rows.ts';

interface Extras {
  /** Null when both strides are the same. */
  readonly strideWidth: number | null;
  readonly sparsity: Sparsity | null;
}

const numberHint = 'write a whole number from 1';

export class LayerReader {
  readonly mistakes: Diagnostic[] = [];
  readonly #row: Row;
  readonly #titles: readonly string[];
  readonly #example: string;
  readonly #name: Field;
  /** Fields read so far. */
  #read = 1;

  /** `titles` are the fields of the header; `example` is a row as it should be. */
  constructor(row: Row, titles: readonly string[], example: string) {
    this.#row = row;
    this.#titles = titles;
    this.#example = example;
    this.#name = row.fields[0]!;
    if (this.#name.text === '') {
      const hint = 'write one before the first comma';
      this.mistakes.push({ message: 'this layer has no name', place: row.line.whole(), hint });
    }
  }

  /**
   * `name, H, W, FH, FW, C, N, stride[, stride width][, N:M]`, the last two in either order. Null, and mistakes, when the
   * row is no such layer.
   */
  conv(): ConvLayer | null {
    const { text: name, place } = this.#name;
    const layer: ConvLayer = {
      // SCALE-Sim looks for these two letters anywhere in the name, in upper case.
      kind: name.includes('DP') ? 'depthwise' : 'conv',
      name,
      height: this.#size('IFMAP height'),
      width: this.#size('IFMAP width'),
      filterHeight: this.#size('filter height'),
      filterWidth: this.#size('filter width'),
      channels: this.#size('number of channels'),
      filters: this.#size('number of filters'),
      strideHeight: this.#size('stride'),
      strideWidth: 1,
      sparsity: null,
      place,
    };
    const { strideWidth, sparsity } = this.#extras(true);
    if (this.mistakes.length === 0) this.#checkFilter(layer);
    return this.#checked({ ...layer, strideWidth: strideWidth ?? layer.strideHeight, sparsity });
  }

  /** `name, M, N, K[, N:M]`. Null, and mistakes, when the row is no such layer. */
  gemm(): GemmLayer | null {
    const { text: name, place } = this.#name;
    const [m, n, k] = [this.#size('M'), this.#size('N'), this.#size('K')];
    return this.#checked({ kind: 'gemm', name, m, n, k, sparsity: this.#extras(false).sparsity, place });
  }

  /** The number in the next field; 1 in place of a mistake. */
  #size(called: string): number {
    const { fields, line } = this.#row;
    const field = fields[this.#read++];
    if (field) return this.#number(field, called);
    // Of a row that ends early only the first missing field is told.
    if (this.#read === fields.length + 1) {
      this.#mistake(`ends before its ${called}`, line.end(), `such as "${this.#example}"`);
    }
    return 1;
  }

  #number(field: Field, called: string): number {
    const value = field.text === '' ? 'is empty' : wholeNumber(field.text);
    if (typeof value === 'number') return value;
    this.mistakes.push({ message: `the ${called} of ${this.#label()} ${value}`, place: field.place, hint: numberHint });
    return 1;
  }

  /** Fields behind the sizes, in either order. A column that the header calls a batch holds ones. */
  #extras(mayHaveStride: boolean): Extras {
    let extras: Extras = { strideWidth: null, sparsity: null };
    for (let at = this.#read; at < this.#row.fields.length; at++) {
      const field = this.#row.fields[at]!;
      const isRatio = field.text.includes(':');
      if (/^batch/i.test(this.#titles[at] ?? '')) this.#checkBatch(field);
      else if (mayHaveStride && !isRatio && extras.strideWidth === null) {
        extras = { ...extras, strideWidth: this.#number(field, 'stride width') };
      } else if (extras.sparsity === null && (isRatio || !mayHaveStride)) {
        extras = { ...extras, sparsity: this.#sparsity(field) };
      } else this.#mistake('has a field too many', field.place, `such as "${this.#example}"`);
    }
    return extras;
  }

  #checkBatch(field: Field): void {
    if (field.text === '1') return;
    const hint = 'write 1, and the layer as often as it runs';
    this.#mistake(`has a batch of "${field.text}"; layers have none here`, field.place, hint);
  }

  #sparsity({ text, place }: Field): Sparsity {
    const [kept, of, ...more] = text.split(':').map((part) => wholeNumber(part.trim()));
    const isRatio = typeof kept === 'number' && typeof of === 'number' && more.length === 0;
    if (isRatio && kept <= of) return { kept, of };
    const wrong = isRatio ? `keeps ${kept} weights of ${of}` : `is not N:M: "${text}"`;
    const hint = 'such as 2:4, two weights of every four';
    this.mistakes.push({ message: `the sparsity of ${this.#label()} ${wrong}`, place, hint });
    return { kept: 1, of: 1 };
  }

  #checkFilter(layer: ConvLayer): void {
    for (const [side, filter, ifmap, at] of [
      ['height', layer.filterHeight, layer.height, 3],
      ['width', layer.filterWidth, layer.width, 4],
    ] as const) {
      if (filter <= ifmap) continue;
      const message = `the filter ${side} of ${this.#label()} is ${filter}, more than its IFMAP ${side} of ${ifmap}`;
      const hint = `nothing is padded; write the ${side} of the IFMAP with its padding`;
      this.mistakes.push({ message, place: this.#row.fields[at]!.place, hint });
    }
  }

  /** The layer, unless there is a mistake in it or one of its matrices is too large. */
  #checked<L extends ScaleSimLayer>(layer: L): L | null {
    if (this.mistakes.length > 0) return null;
    const { m, n, k } = productOf(layer);
    const repeats = layer.kind === 'depthwise' ? layer.channels : 1;
    const matrices = { 'IFMAP (M x K)': m * k, 'filter matrix (K x N)': k * n, 'OFMAP (M x N)': m * n };
    const large = Object.entries(matrices).find(([, words]) => words * repeats > mostWords);
    if (large === undefined) return layer;
    const message = `the ${large[0]} of ${this.#label()} has more than ${mostWordsText} words`;
    this.mistakes.push({ message, place: this.#row.line.whole(), hint: 'split the layer into smaller ones' });
    return null;
  }

  #label(): string {
    return this.#name.text === '' ? 'this layer' : `layer "${this.#name.text}"`;
  }

  #mistake(what: string, place: Place, hint: string): void {
    this.mistakes.push({ message: `${this.#label()} ${what}`, place, hint });
  }
}
