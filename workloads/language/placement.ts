/** Where tensors are: rules from names to memories, in order. */
import { List, Record } from 'immutable';
import { z } from 'zod';
import { type Diagnostic, InputError, type Place } from '../../arch/language/diagnostics.ts';
import { fileNamed } from '../../arch/language/library.ts';
import { count } from '../../arch/language/quantities.ts';
import { check, type Path, Source } from '../../arch/language/source.ts';

/** `optimizer.* -> dram+cxl:interleave(1,2)`. The first rule whose pattern fits a tensor tells where it is. */
export class PlaceRule extends Record<{
  /** A name; `*` stands for any letters. */
  pattern: string;
  /** Parts, or one of several: `cxl[1]`. */
  memories: List<string>;
  /** Pages in a turn, by memory, counting each of a part of which there are several. Null: one each. */
  weights: List<number> | null;
}>({ pattern: '', memories: List(), weights: null }, 'PlaceRule') {
  fits(tensor: string): boolean {
    const parts = this.pattern.split('*').map((part) => part.replace(/[^\w]/g, '\\$&'));
    return new RegExp(`^${parts.join('.*')}$`).test(tensor);
  }
}

export class Placement extends Record<{
  name: string;
  about: string;
  machine: string;
  workload: string;
  /** Devices that take part; null: all of the machine. */
  devices: number | null;
  rules: List<PlaceRule>;
}>({ name: '', about: '', machine: '', workload: '', devices: null, rules: List() }, 'Placement') {}

export interface LoadedPlacement {
  readonly placement: Placement;
  readonly place: (path: Path) => Place;
}

export const placementSchema = z.strictObject({
  mapping: z
    .string()
    .describe('Name of the mapping')
    .meta({ examples: ['interleaved'] }),
  about: z.string().default('').describe('What it is, in a sentence'),
  source: z.string().default('').describe('Where it comes from'),
  machine: z.string().default('').describe('The machine that it is for'),
  workload: z.string().default('').describe('The workload that it is for'),
  devices: count.optional().describe('Devices that take part; all when omitted'),
  place: z
    .array(z.string())
    .min(1)
    .describe('Rules, of which the first that fits counts: `NAME -> MEMORY`, `optimizer.* -> dram+cxl:interleave(1,2)`')
    .meta({ examples: ['[data -> cxl]'] }),
});

/** A file, or the name of one in workloads/mappings/. @throws InputError */
export function loadPlacement(file: string): LoadedPlacement {
  return build(Source.read(fileNamed('workloads/mappings', file)));
}

/** The same from a text; `file` is its name in messages. */
export function parsePlacement(text: string, file: string): LoadedPlacement {
  return build(new Source(text, file));
}

const form =
  /^([\w.*-]+)\s*->\s*([\w.[\]-]+(?:\s*\+\s*[\w.[\]-]+)*)\s*(?::\s*interleave\(\s*(\d+(?:\s*,\s*\d+)*)\s*\))?$/;

function build(source: Source): LoadedPlacement {
  const input = check(placementSchema, source.value(), source);
  const mistakes: Diagnostic[] = [];
  const rules = input.place.map((text, i) => {
    const match = form.exec(text.trim());
    if (!match) {
      const hint = 'such as "data -> cxl" or "optimizer.* -> dram+cxl:interleave(1,2)"';
      mistakes.push({ message: `"${text}" is no rule`, place: source.placeOf(['place', i]), hint });
    }
    const [, pattern = '', memories = '', weights] = match ?? [];
    const pages = weights === undefined ? null : List(weights.split(',').map(Number));
    if (pages?.every((one) => one === 0))
      mistakes.push({
        message: 'all weights are 0',
        place: source.placeOf(['place', i]),
        hint: 'such as interleave(1,2)',
      });
    return new PlaceRule({ pattern, memories: List(memories.split('+').map((name) => name.trim())), weights: pages });
  });
  if (mistakes.length > 0) throw new InputError(mistakes);
  const { mapping: name, about, machine, workload, devices = null } = input;
  const placement = new Placement({ name, about, machine, workload, devices, rules: List(rules) });
  return { placement, place: (path) => source.placeOf(path) };
}

/** JSON Schema (draft 2020-12) of such a file. */
export function placementJsonSchema(): object {
  const { $schema, ...schema } = z.toJSONSchema(placementSchema, { io: 'input', target: 'draft-2020-12' });
  return { $schema, title: 'A placement of Clockwright', ...schema };
}
