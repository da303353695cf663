/** Whether everything that a mapping names is there, found before anything is bound: all mistakes in one go. */
import { type Diagnostic, suggest } from '../../arch/language/diagnostics.ts';
import type { LoadedMapping, SectionMapping } from '../../workloads/language/mapping.ts';
import { accessesOf, type Einsum, einsumsOf, variablesOf, type Workload } from '../../workloads/language/workload.ts';
import { lacksOperators, missingOperators } from './gaps.ts';
import { passLoop } from './nest.ts';
import { productsIn } from './products.ts';
import type { Product } from './program.ts';
import type { EngineSite, Topology } from './topology.ts';

type Report = (path: readonly (string | number)[], message: string, hint?: string, atKey?: boolean) => void;

/** Every mistake in the names of a mapping, top to bottom. What runs in memories is added to `products`, by einsum. */
export function checkMapping(
  { mapping, place }: LoadedMapping,
  workload: Workload,
  topology: Topology,
  products: Map<string, Product> = new Map(),
): Diagnostic[] {
  const mistakes: Diagnostic[] = [];
  const einsums = einsumsOf(workload);
  const elsewhere = new Set<string>();
  mapping.sections.forEach((section, index) => {
    const told = new Set<string>();
    const report: Report = (path, message, hint, atKey) => {
      const mistake = JSON.stringify([path, message]);
      if (!told.has(mistake)) mistakes.push({ message, place: place(index, path, atKey), hint });
      told.add(mistake);
    };
    const mine = einsumsIn(section, einsums, workload.name, elsewhere, report);
    checkPlacements(section, mine, topology, report);
    checkMemories(section, mine, workload, topology, { report, products });
    // What a section says of loops holds for each step that it reaches into.
    for (const step of workload.steps) {
      const inStep = mine.filter((einsum) => step.einsums.includes(einsum));
      if (inStep.length === 0) continue;
      checkPartition(section, inStep, report);
      checkLoops(section, inStep, report);
    }
    checkStages(section, mine, report);
    checkCores(section, mine, topology, report);
    checkTensors(section, mine, topology, report);
  });
  const line = ({ place: at }: Diagnostic): number => at!.line * 1e6 + at!.column;
  return mistakes.sort((a, b) => line(a) - line(b));
}

/** The einsums of a section. Each is in one section alone, and they follow one another. */
function einsumsIn(
  section: SectionMapping,
  einsums: readonly Einsum[],
  workload: string,
  elsewhere: Set<string>,
  report: Report,
): Einsum[] {
  const names = einsums.map((einsum) => einsum.name);
  const listed = section.einsums?.toArray() ?? names;
  listed.forEach((name, i) => {
    const at = ['einsums', i];
    if (!names.includes(name)) report(at, `${workload} has no einsum "${name}"`, suggest(name, names));
    else if (elsewhere.has(name)) report(at, `${name} is in two sections`, 'take it out of one of them');
    elsewhere.add(name);
  });
  const mine = einsums.filter(({ name }) => listed.includes(name));
  const first = names.indexOf(mine[0]?.name ?? '');
  if (mine.some(({ name }, i) => names[first + i] !== name)) {
    const message = `${listed.join(', ')} do not follow one another in ${workload}`;
    report(['einsums'], message, 'a section is a run of consecutive einsums');
  }
  return mine;
}

function checkPlacements(
  section: SectionMapping,
  einsums: readonly Einsum[],
  topology: Topology,
  report: Report,
): void {
  const names = einsums.map((einsum) => einsum.name);
  const engines = topology.engines.map(({ path }) => path);
  const placed = new Map<string, string>();
  for (const [path, placement] of section.place) {
    const at = ['place', path];
    const engine = topology.engine(path);
    const isMemory = topology.memory(path) !== undefined;
    if (!engine && !isMemory) report(at, `the machine has no engine "${path}"`, suggest(path, engines));
    if (engine && !placement.layout.isEmpty()) {
      report([...at, 'layout'], `${path} has no layout: it is of kind ${engine.part.kind}`, 'leave it out', true);
    }
    placement.einsums.forEach((name, i) => {
      const other = placed.get(name);
      const here = [...at, 'einsums', i];
      if (!names.includes(name)) report(here, `no einsum "${name}" in this section`, suggest(name, names));
      else if (other !== undefined) report(here, `${name} is placed on ${other} already`, 'take it out of one of them');
      else checkAbility(einsums.find((einsum) => einsum.name === name)!, engine, here, report);
      placed.set(name, path);
    });
    const sides = engine?.part.kind === 'vector' ? (['lanes'] as const) : (['rows', 'columns'] as const);
    const known = [...parts(section), ...variablesOfAll(einsums)];
    for (const side of ['rows', 'columns', 'lanes'] as const) {
      if (placement[side].isEmpty() || isMemory) continue;
      if (engine && !(sides as readonly string[]).includes(side)) {
        report(
          [...at, side],
          `${path} has no ${side}: it is of kind ${engine.part.kind}`,
          `write ${sides.join(' or ')}`,
        );
      }
      placement[side].forEach((name, i) => {
        if (!known.includes(name)) report([...at, side, i], `no rank or part "${name}" here`, suggest(name, known));
      });
    }
  }
}

/** What is placed in memories must be products there. */
function checkMemories(
  section: SectionMapping,
  einsums: readonly Einsum[],
  workload: Workload,
  topology: Topology,
  { report, products }: { readonly report: Report; readonly products: Map<string, Product> },
): void {
  for (const [path, placement] of section.place) {
    const memory = topology.pim(path);
    const at = ['place', path];
    if (!memory) {
      if (topology.memory(path)) report(at, `${path} computes nothing`, 'place it on an engine', true);
      continue;
    }
    for (const key of ['rows', 'columns', 'lanes', 'keep'] as const) {
      if (placement[key].isEmpty()) continue;
      const lacks = key === 'keep' ? 'registers' : key;
      report([...at, key], `${path} has no ${lacks}: it is a memory`, 'say in "layout" how its matrices lie', true);
    }
    const within: Report = (rest, ...more) => report([...at, ...rest], ...more);
    for (const [name, product] of productsIn(memory, placement, einsums, workload, within)) products.set(name, product);
  }
}

function checkAbility(
  einsum: Einsum,
  engine: EngineSite | undefined,
  at: readonly (string | number)[],
  report: Report,
): void {
  if (!engine || missingOperators(einsum, engine).length === 0) return;
  report(at, lacksOperators(einsum, engine), 'place it on another engine');
}

function checkPartition(section: SectionMapping, einsums: readonly Einsum[], report: Report): void {
  const ranks = variablesOfAll(einsums).map((variable) => variable.toUpperCase());
  for (const [rank, split] of section.partition) {
    const at = ['partition', rank];
    if (!ranks.includes(rank)) report(at, `no rank ${rank} here`, suggest(rank, ranks));
    const { name, size } = split.last()!;
    if (size === null) report([...at, split.size - 1], `${name} has no size`, `write "${name} 256"`);
  }
}

/** Loops are ranks, or the parts of a partitioned one but for the innermost, which is the tile. */
function checkLoops(section: SectionMapping, einsums: readonly Einsum[], report: Report): void {
  const { loops, partition, passes } = section;
  if (!passes.isEmpty() && !loops?.includes(passLoop)) {
    report(
      ['passes'],
      `no loop is named "${passLoop}"`,
      `put "${passLoop}" before the loops that are gone through again`,
    );
  }
  if (loops === null) return;
  const outer = partition.valueSeq().flatMap((split) => split.butLast().map(({ name }) => name.toLowerCase()));
  const whole = variablesOfAll(einsums).filter((variable) => !partition.has(variable.toUpperCase()));
  const known = [...outer, ...whole, ...(passes.isEmpty() ? [] : [passLoop])];
  loops.forEach((name, i) => {
    if (!known.includes(name)) report(['loops', i], `no loop "${name}"`, suggest(name, known));
    else if (loops.indexOf(name) < i) report(['loops', i], `loop "${name}" stands twice`, 'take it out once');
  });
  for (const name of outer) {
    if (!loops.includes(name))
      report(['loops'], `"${name}" is not among the loops`, 'name every part but the innermost');
  }
}

/** Every einsum is in one stage, and in one pass, if these are given. */
function checkStages(section: SectionMapping, einsums: readonly Einsum[], report: Report): void {
  const names = einsums.map(({ name }) => name);
  for (const key of ['pipeline', 'passes'] as const) {
    const seen = new Set<string>();
    section[key].forEach((listed, i) => {
      listed.forEach((name, j) => {
        if (!names.includes(name)) report([key, i, j], `no einsum "${name}" in this section`, suggest(name, names));
        else if (seen.has(name)) report([key, i, j], `${name} stands twice`, 'take it out once');
        seen.add(name);
      });
    });
    const missing = names.filter((name) => !seen.has(name));
    if (!section[key].isEmpty() && missing.length > 0)
      report([key], `${missing.join(', ')} missing`, 'name every einsum', true);
  }
  for (const [tensor, readers] of section.spill) {
    const at = ['spill', tensor];
    if (einsums.every(({ output }) => output.tensor !== tensor)) {
      report(
        at,
        `no einsum of this section makes ${tensor}`,
        suggest(
          tensor,
          einsums.map(({ output }) => output.tensor),
        ),
        true,
      );
    }
    readers.forEach((name, i) => {
      const einsum = einsums.find((e) => e.name === name);
      if (!einsum) report([...at, i], `no einsum "${name}" in this section`, suggest(name, names));
      else if (accessesOf(einsum.expression).every((access) => access.tensor !== tensor)) {
        report([...at, i], `${name} does not read ${tensor}`, 'name an einsum that does');
      }
    });
  }
  for (const [tensor, old] of section.replace) {
    const maker = einsums.find(({ output }) => output.tensor === tensor);
    if (maker && accessesOf(maker.expression).some((access) => access.tensor === old)) continue;
    const outputs = einsums.map(({ output }) => output.tensor);
    if (!maker)
      report(['replace', tensor], `no einsum of this section makes ${tensor}`, suggest(tensor, outputs), true);
    else report(['replace', tensor], `${maker.name} does not read ${old}`, 'name a tensor that it reads');
  }
}

/** What is split is a rank without order: an iterative one goes from step to step. */
function checkCores({ cores }: SectionMapping, einsums: readonly Einsum[], { groups }: Topology, report: Report): void {
  const paths = groups.map(({ path }) => path);
  const known = variablesOfAll(einsums);
  for (const [group, variable] of cores) {
    const at = ['cores', group];
    if (!paths.includes(group)) {
      const hint = paths.length > 0 ? suggest(group, paths) : 'give a group of its parts a "count"';
      report(at, `the machine has no cores "${group}"`, hint, true);
    }
    const steps = einsums.find(({ iterative }) => iterative === variable);
    if (!known.includes(variable)) report(at, `no rank "${variable}" here`, suggest(variable, known));
    else if (steps) {
      const others = known.filter((v) => einsums.every(({ iterative }) => iterative !== v));
      const hint = others.length > 0 ? `one of ${others.join(', ')}` : undefined;
      report(at, `${variable} cannot be split: ${steps.name} goes through it step by step`, hint);
    }
  }
}

function checkTensors(section: SectionMapping, einsums: readonly Einsum[], topology: Topology, report: Report): void {
  const tensors = [
    ...new Set(einsums.flatMap((e) => [...accessesOf(e.expression).map((a) => a.tensor), e.output.tensor])),
  ].sort();
  const check = (path: readonly (string | number)[], name: string, atKey?: boolean): void => {
    if (!tensors.includes(name)) report(path, `no tensor ${name} in this section`, suggest(name, tensors), atKey);
  };
  const pads = topology.pads.map(({ path }) => path);
  for (const [pad, held] of section.hold) {
    const at = pad === '' ? ['hold'] : ['hold', pad];
    if (pad !== '' && !pads.includes(pad)) report(at, `the machine has no scratchpad "${pad}"`, suggest(pad, pads));
    held.forEach((tensor, i) => {
      check([...at, i], tensor);
    });
  }
  section.refetch.forEach((tensor, i) => {
    check(['refetch', i], tensor);
  });
  for (const tensor of section.stream.keys()) check(['stream', tensor], tensor, true);
  for (const [engine, { keep }] of section.place) {
    keep.forEach((tensor, i) => {
      check(['place', engine, 'keep', i], tensor);
    });
  }
}

function variablesOfAll(einsums: readonly Einsum[]): string[] {
  return [...new Set(einsums.flatMap(variablesOf))];
}

/** Names of the parts of partitioned ranks, in lower case. */
function parts({ partition }: SectionMapping): string[] {
  return partition
    .valueSeq()
    .flatMap((split) => split.map(({ name }) => name.toLowerCase()))
    .toArray();
}
