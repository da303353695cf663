/** Traces of memory requests, as DRAM simulators read them. */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { type Diagnostic, InputError } from '../../../arch/language/diagnostics.ts';
import { reasonOf } from '../../../arch/language/file-error.ts';
import { type Request, type TraceFormat, TraceLines } from './lines.ts';

export interface RequestTrace {
  readonly length: number;
  /** 1 for a write, 0 for a read. */
  readonly writes: Uint8Array;
  /** What addresses count: accesses of the device, bytes, or rows of the first bank. */
  readonly unit: 'block' | 'byte' | 'row';
  readonly addresses: Float64Array;
  /** Where addresses are rows: the access within the row. */
  readonly columns: Float64Array | null;
  /** Clock cycles before which a request must not be sent, where the trace has them. */
  readonly cycles: Float64Array | null;
}

/** Wrong lines that are shown. */
const mostMistakes = 20;

/**
 * Reads a trace, which may be packed by gzip. A line is one of
 * - `R <block>`, `W <block>`, or `R <row> <column>`,
 * - `LD <byte address>`, `ST <byte address>` (Ramulator's load/store traces),
 * - `<byte address> READ|WRITE <cycle>` (DRAMsim3),
 *
 * numbers in decimal or, behind 0x, in hexadecimal. Blank lines and what follows a `#` are skipped.
 * @throws InputError when the file cannot be read, has no request, has wrong lines, or lines of more than one kind
 */
export function readTrace(file: string): RequestTrace {
  const lines = new TraceLines(bytesOf(file), file);
  const trace = new TraceBuilder(lines.most);
  const mistakes: Diagnostic[] = [];
  let wrong = 0;
  for (let request = lines.next(); request !== null; request = lines.next()) {
    if (request.mistake === null && trace.accepts(request.format)) {
      trace.add(request);
      continue;
    }
    wrong++;
    if (mistakes.length < mostMistakes) mistakes.push(lines.diagnose(request.mistake ?? trace.otherKind()));
  }
  if (wrong > mostMistakes) mistakes.push({ message: `${file} has ${wrong - mostMistakes} more wrong lines` });
  if (mistakes.length > 0) throw new InputError(mistakes);
  if (trace.length === 0) {
    throw new InputError({ message: `${file} has no requests`, hint: 'write one on a line, such as "R 1234"' });
  }
  return trace.build();
}

/** A file, unpacked if it is packed by gzip. @throws InputError */
export function bytesOf(file: string): Buffer {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    throw new InputError({ message: `cannot read ${file}: ${reasonOf(error)}` });
  }
  const isPacked = bytes[0] === 0x1f && bytes[1] === 0x8b;
  if (!isPacked) return bytes;
  try {
    return gunzipSync(bytes);
  } catch (error) {
    throw new InputError({
      message: `cannot unpack ${file}: ${reasonOf(error)}`,
      hint: 'is it a whole file that gzip wrote?',
    });
  }
}

const kinds: { readonly [format in TraceFormat]: string } = {
  block: 'a block number ("R 1234")',
  row: 'a row and a column ("R 12 34")',
  loadStore: 'a byte address ("LD 0x1f40")',
  dramsim3: 'a byte address and a cycle ("0x1f40 READ 12")',
};

class TraceBuilder {
  length = 0;
  readonly #writes: Uint8Array;
  readonly #addresses: Float64Array;
  readonly #seconds: Float64Array;
  #format: TraceFormat | null = null;

  constructor(most: number) {
    this.#writes = new Uint8Array(most);
    this.#addresses = new Float64Array(most);
    this.#seconds = new Float64Array(most);
  }

  /** Whether a line is of the kind of the first one. */
  accepts(format: TraceFormat): boolean {
    this.#format ??= format;
    return format === this.#format;
  }

  add({ isWrite, address, second }: Request): void {
    this.#writes[this.length] = isWrite ? 1 : 0;
    this.#addresses[this.length] = address;
    this.#seconds[this.length] = second;
    this.length++;
  }

  otherKind(): { readonly message: string; readonly hint: string } {
    return {
      message: 'this line is of another kind than the first one',
      hint: `that has ${kinds[this.#format ?? 'block']}; put lines of one kind in a file`,
    };
  }

  build(): RequestTrace {
    const { length } = this;
    const seconds = this.#seconds.subarray(0, length);
    const format = this.#format;
    return {
      length,
      writes: this.#writes.subarray(0, length),
      unit: format === 'block' || format === 'row' ? format : 'byte',
      addresses: this.#addresses.subarray(0, length),
      columns: format === 'row' ? seconds : null,
      cycles: format === 'dramsim3' ? seconds : null,
    };
  }
}
