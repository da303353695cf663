/**
 * SCALE-Sim's topology files, of v2 and of v3, as its `topology_utils.py` reads them: a header, then a layer in each row.
 * SCALE-Sim drops what stands behind the last comma of a row; here a row may end with or without a comma.
 */
import { type Diagnostic, InputError } from '../../../arch/language/diagnostics.ts';
import type { ScaleSimLayer } from './layer.ts';
import { linesOf, wholeNumber } from './lines.ts';
import { LayerReader } from './read-layer.ts';
import { commaInName, otherSeparator, type Row, readRows } from './rows.ts';

export type { ConvLayer, GemmLayer, ScaleSimLayer, Sparsity } from './layer.ts';

type Kind = 'conv' | 'gemm';

interface Format {
  readonly called: string;
  readonly header: string;
  readonly example: string;
  /** Fields of a row; the most with a stride width, a sparsity and a batch. */
  readonly least: number;
  readonly most: number;
}

const formats: { readonly [K in Kind]: Format } = {
  conv: {
    called: 'convolutions',
    header: 'Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, Num Filter, Strides,',
    example: 'Conv1, 224, 224, 11, 11, 3, 96, 4,',
    least: 8,
    most: 11,
  },
  gemm: { called: 'GEMMs', header: 'Layer name, M, N, K,', example: 'Linear1, 128, 64, 256,', least: 4, most: 6 },
};

/**
 * The layers in the order of the file. The first line is the header; a layer in it is a mistake.
 * @throws InputError with all mistakes at once; with one when the file is not a topology of this kind
 */
export function parseScaleSimTopology(text: string, file: string, kind: Kind): ScaleSimLayer[] {
  const { header, rows } = splitHeader(readRows(text, file), kind);
  const titles = header ? header.fields.map((field) => field.text) : [];
  const first = header ?? rows[0];
  if (!first) {
    const place = linesOf(text, file)[0]!.whole();
    throw new InputError({ message: 'the topology is empty', place, hint: exampleOf(kind) });
  }
  const wrong = wrongThroughout(header, rows) ?? otherFile(first, titles, rows, kind);
  if (wrong) throw new InputError(wrong);
  if (rows.length === 0) {
    const message = 'the topology has a header and no layers';
    throw new InputError({ message, place: first.line.end(), hint: exampleOf(kind) });
  }
  return layersOf(rows, kind, titles);
}

function layersOf(rows: readonly Row[], kind: Kind, titles: readonly string[]): ScaleSimLayer[] {
  const mistakes: Diagnostic[] = [];
  const layers = rows.flatMap((row) => {
    const wrong = commaInName(row) ?? otherSeparator(row);
    if (wrong) {
      mistakes.push(wrong);
      return [];
    }
    const reader = new LayerReader(row, titles, formats[kind].example);
    const layer = kind === 'gemm' ? reader.gemm() : reader.conv();
    mistakes.push(...reader.mistakes);
    return layer ?? [];
  });
  if (mistakes.length > 0) throw new InputError(mistakes);
  return layers;
}

/**
 * SCALE-Sim skips the first line. Where that is blank or a comment, a header below it is still one.
 * @throws InputError when the line to be skipped is a layer
 */
function splitHeader(all: readonly Row[], kind: Kind): { header: Row | null; rows: readonly Row[] } {
  const first = all[0];
  if (!first) return { header: null, rows: [] };
  if (!isLayer(first)) return { header: first, rows: all.slice(1) };
  if (first.line.number > 1) return { header: null, rows: all };
  const message = 'the first line is skipped as the header, but this one is a layer';
  const hint = `write a header above it: "${formats[kind].header}"`;
  throw new InputError({ message, place: first.line.whole(), hint });
}

/** Whether a row is plainly a layer, if perhaps one with a mistake: most of what stands behind its name is numbers. */
function isLayer({ fields }: Row): boolean {
  const numbers = fields.slice(1).filter(({ text }) => typeof wholeNumber(text) === 'number');
  return fields.length >= formats.gemm.least && numbers.length > fields.length / 2;
}

/**
 * A separator that is wrong in all lines is told of the header alone. One wrong in the header alone is none: SCALE-Sim
 * skips that line, which may say anything.
 */
function wrongThroughout(header: Row | null, rows: readonly Row[]): Diagnostic | undefined {
  const isWrong = rows.length > 0 && rows.every((row) => otherSeparator(row) !== undefined);
  return header && isWrong ? otherSeparator(header) : undefined;
}

/** What a file is that is not a topology of the kind asked for; undefined when it may be one. */
function otherFile(first: Row, titles: readonly string[], rows: readonly Row[], kind: Kind): Diagnostic | undefined {
  const place = first.line.whole();
  if (/^\s*\[[^\],]*\]/.test(first.line.text)) {
    const hint = 'the configuration (.cfg) comes first, then the topology (.csv)';
    return { message: 'this is a configuration, not a topology', place, hint };
  }
  if (titles.some((title) => /\bintraline\b/i.test(title))) {
    const hint = 'layouts are not read; give the file with the sizes of the layers';
    return { message: 'this is a layout, not a topology', place, hint };
  }
  const other = kind === 'conv' ? 'gemm' : 'conv';
  const titled = kindOf(titles);
  if (allHave(rows, kind) || !(titled === other || (titled === null && allHave(rows, other)))) return undefined;
  const message = `this is a topology of ${formats[other].called}, but it is read as one of ${formats[kind].called}`;
  return { message, place, hint: kind === 'conv' ? 'add --gemm' : 'leave out --gemm' };
}

/** What the header says that the rows are; null when it may be either. */
function kindOf(titles: readonly string[]): Kind | null {
  if (titles.some((title) => /^(ifmap|filter|channels?|num filter|strides?)\b/i.test(title))) return 'conv';
  const letters = new Set(titles.map((title) => title.toUpperCase()));
  return ['M', 'N', 'K'].every((letter) => letters.has(letter)) ? 'gemm' : null;
}

/** Whether there are rows and all of them have as many fields as layers of a kind have. */
function allHave(rows: readonly Row[], kind: Kind): boolean {
  const { least, most } = formats[kind];
  return rows.length > 0 && rows.every(({ fields }) => fields.length >= least && fields.length <= most);
}

function exampleOf(kind: Kind): string {
  const { header, example } = formats[kind];
  return `write "${header}" and below it layers such as "${example}"`;
}
