/** Text that already is markup. Everything else is escaped where it is put in. */
export class Markup {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

export type Part = string | number | Markup | undefined | readonly Part[];

const entities: { [character: string]: string } = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function written(part: Part): string {
  if (part === undefined) return '';
  if (part instanceof Markup) return part.text;
  // Hundredths of a pixel: enough for any screen, and the same text wherever floating point differs in its last bit.
  if (typeof part === 'number') return String(Math.round(part * 100) / 100 || 0);
  if (typeof part === 'string') return part.replace(/[&<>"']/g, (character) => entities[character]!);
  return part.map(written).join('');
}

/** HTML or SVG: strings are escaped, numbers rounded to hundredths, lists joined, undefined left out. */
export function markup(strings: TemplateStringsArray, ...parts: Part[]): Markup {
  return new Markup(String.raw({ raw: strings }, ...parts.map(written)));
}
