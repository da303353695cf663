/** Sections: operators of a block that run as one pipeline, and the tensors that it reads from and writes to memory. */
import { List, OrderedMap, Record } from 'immutable';
import { InputError, suggest } from '../../arch/language/diagnostics.ts';
import type { DataflowMapping } from '../../workloads/language/dataflow-mapping.ts';
import { type Block, type FlowOperator, FlowTensor, producersOf } from './graph.ts';

export class SectionTensor extends Record<{ tensor: FlowTensor; load: boolean; store: boolean }>(
  { tensor: new FlowTensor(), load: false, store: false },
  'SectionTensor',
) {}

/** Two sections that do the same are equal values, wherever in the graph they are. */
export class Section extends Record<{
  operators: List<FlowOperator>;
  tensors: OrderedMap<string, SectionTensor>;
  /** Tiles that the streamed dimension is cut into. */
  tiles: number;
}>({ operators: List(), tensors: OrderedMap(), tiles: 1 }, 'Section') {
  /** The operators' names, for people. */
  get title(): string {
    const names = this.operators.map(({ name }) => name);
    return names.size > 3 ? `${names.first()} ... ${names.last()}` : names.join(' ');
  }
}

/** Tells why a section cannot be placed; null when it can. */
export type Misfit = (section: Section) => InputError | null;

/**
 * Cuts a block into sections as the mapping says, with `fuse: all` a new one begins where an operator does not fit.
 * @throws InputError when an operator does not fit by itself, or a section that was asked for does not
 */
export function cut(block: Block, mapping: DataflowMapping, misfit: Misfit): List<Section> {
  const groups = mapping.fuse === 'all' ? fitting(block, mapping, misfit) : groupsOf(block, mapping);
  const sections = groups.map((group) => sectionOf(block, group, mapping.tile));
  for (const section of sections) {
    const mistake = misfit(section);
    if (mistake) throw mistake;
  }
  return List(sections);
}

/** As many operators as fit, section by section. */
function fitting(block: Block, { tile }: DataflowMapping, misfit: Misfit): List<FlowOperator>[] {
  const groups: List<FlowOperator>[] = [];
  for (const operator of block.operators) {
    const longer = groups.at(-1)?.push(operator);
    if (longer && misfit(sectionOf(block, longer, tile)) === null) groups[groups.length - 1] = longer;
    else groups.push(List([operator]));
  }
  return groups;
}

/** One operator each, or those that the mapping names together where they begin. */
function groupsOf(block: Block, { fuse }: DataflowMapping): List<FlowOperator>[] {
  if (typeof fuse === 'string') return block.operators.toArray().map((operator) => List([operator]));
  const groups: { key: number; operators: FlowOperator[] }[] = [];
  for (const operator of block.operators) {
    const key = fuse.findIndex((names) => names.includes(operator.name));
    const last = groups.at(-1);
    if (last && key >= 0 && last.key === key) last.operators.push(operator);
    else if (key >= 0 && groups.some((group) => group.key === key))
      throw interrupted(operator.name, last?.operators.at(-1)?.name ?? '');
    else groups.push({ key, operators: [operator] });
  }
  return groups.map(({ operators }) => List(operators));
}

function interrupted(name: string, between: string): InputError {
  const message = `${name} cannot be in a section with operators before ${between}, which is in another one`;
  return new InputError({ message, hint: 'sections are runs of operators that follow one another' });
}

/** Operators that a mapping names and no block has. @throws InputError when there are any */
export function checkNames(blocks: Iterable<Block>, { fuse }: DataflowMapping): void {
  if (typeof fuse === 'string') return;
  const known = new Set([...blocks].flatMap(({ operators }) => operators.toArray().map(({ name }) => name)));
  const mistakes = fuse.toArray().flatMap((names) =>
    names.toArray().flatMap((name) => {
      return known.has(name) ? [] : [{ message: `there is no operator "${name}" to fuse`, hint: suggest(name, known) }];
    }),
  );
  if (mistakes.length > 0) throw new InputError(mistakes);
}

/** Operators of a block as a section: what is made or used outside of it goes through memory. */
export function sectionOf(block: Block, operators: List<FlowOperator>, tile: number): Section {
  const made = producersOf(operators);
  const inside = new Set(operators);
  const usedOutside = new Set(
    block.operators
      .toArray()
      .flatMap((other) => (inside.has(other) ? [] : other.operands.toArray().map(({ tensor }) => tensor))),
  );
  const names = new Set(
    operators.flatMap(({ operands, results }) => [...operands.map(({ tensor }) => tensor), ...results]),
  );
  const tensors = OrderedMap<string, SectionTensor>().withMutations((all) => {
    for (const name of names) {
      const tensor = block.tensors.get(name);
      if (tensor === undefined) throw new Error(`block ${block.name} has no tensor ${name}`);
      const isMade = made.has(name);
      const leaves = tensor.home === 'output' || tensor.home === 'kept' || usedOutside.has(name);
      all.set(name, new SectionTensor({ tensor, load: !isMade, store: isMade && leaves }));
    }
  });
  return new Section({ operators, tensors, tiles: Math.max(1, Math.ceil(block.rows / tile)) });
}
