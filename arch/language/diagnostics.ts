/** Mistakes in the files that users write: where they are, what is wrong, what to do. */

/** A span of one line of a file. Lines and columns count from 1. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** Characters to underline, at least 1. */
  readonly length: number;
  /** The whole source line, without its line break. */
  readonly text: string;
}

export interface Diagnostic {
  /** What is wrong, as one clause without a full stop. */
  readonly message: string;
  /** Absent when the mistake is not in a file, such as a command-line option. */
  readonly place?: Place | undefined;
  /** What to do about it: `did you mean "columns"?`. */
  readonly hint?: string | undefined;
}

/** The input is wrong: the command line prints the diagnostics and exits with 2. */
export class InputError extends Error {
  readonly diagnostics: readonly Diagnostic[];

  constructor(diagnostics: readonly Diagnostic[] | Diagnostic) {
    const all: readonly Diagnostic[] = 'message' in diagnostics ? [diagnostics] : diagnostics;
    super(formatDiagnostics(all));
    this.name = 'InputError';
    this.diagnostics = all;
  }
}

/** The text a user reads: one block per mistake and, when there are several, their number. */
export function formatDiagnostics(diagnostics: readonly Diagnostic[]): string {
  const blocks = diagnostics.map(formatDiagnostic);
  if (diagnostics.length > 1) blocks.push(`${diagnostics.length} mistakes`);
  return blocks.join('\n');
}

function formatDiagnostic({ message, place, hint }: Diagnostic): string {
  if (!place) return hint ? `${message}; ${hint}` : message;
  const number = String(place.line).padStart(4);
  const gutter = ' '.repeat(number.length);
  const { text, before, length } = excerpt(place);
  // Tabs are kept in the margin so that the carets stay under what they mark.
  const margin = before.replace(/[^\t]/g, ' ');
  const carets = '^'.repeat(Math.max(1, Math.min(place.length, length)));
  return [
    `${place.file}:${place.line}:${place.column}  ${message}`,
    `${number} | ${text}`,
    `${gutter} | ${margin}${carets}${hint ? ` ${hint}` : ''}`,
  ].join('\n');
}

/** Characters of a source line that are shown; of a longer one, those around the mistake. */
const widest = 160;

function excerpt({ text, column }: Place): { text: string; before: string; length: number } {
  const at = column - 1;
  const from = text.length > widest && at > widest / 2 ? at - widest / 2 : 0;
  const to = Math.min(text.length, from + widest);
  const [head, tail] = [from > 0 ? '...' : '', to < text.length ? '...' : ''];
  const before = head + text.slice(from, at);
  return { text: head + text.slice(from, to) + tail, before, length: to - at };
}

/** The candidate nearest to a misspelt word, or undefined when none is near enough to be what was meant. */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined;
  let least = Math.max(1, Math.floor(word.length / 2)) + 1;
  for (const candidate of candidates) {
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase());
    // Words with nothing in common are no misspellings of one another, however short.
    if (distance < least && distance < Math.max(word.length, candidate.length)) {
      least = distance;
      best = candidate;
    }
  }
  return best;
}

/** Names in a hint; of more, the first ones. */
const mostNames = 20;

/** `did you mean "x"?` for a near miss, else the list of what would do. */
export function suggest(word: string, candidates: Iterable<string>): string {
  const all = [...candidates];
  const near = nearest(word, all);
  if (near !== undefined) return `did you mean "${near}"?`;
  if (all.length === 0) return 'there is none';
  const more = all.length > mostNames ? ` and ${all.length - mostNames} more` : '';
  return `one of ${all.slice(0, mostNames).join(', ')}${more}`;
}

/** Insertions, deletions, substitutions and swaps of neighbours that turn one word into the other. */
function editDistance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const changed = a[i - 1] === b[j - 1] ? 0 : 1;
      let d = Math.min(rows[i - 1]![j]! + 1, row[j - 1]! + 1, rows[i - 1]![j - 1]! + changed);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) d = Math.min(d, rows[i - 2]![j - 2]! + 1);
      row.push(d);
    }
    rows.push(row);
  }
  return rows[a.length]![b.length]!;
}
