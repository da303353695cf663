/** A machine as text: what it is made of and what it can do at best. */
import { format } from 'd3-format';
import {
  type Arch,
  contents,
  type Engine,
  type GroupPart,
  type Link,
  type Part,
  type PeerLink,
  type Rate,
  type Span,
} from './arch.ts';
import { DramMemory } from './dram/memory.ts';
import { pageText } from './dram/page.ts';
import { fabricFacts } from './fabric-facts.ts';
import { operationNames } from './operations.ts';
import { expandParts, linkBandwidth, partAt, peakOperations, rduPeak, scratchpadBandwidth } from './parts.ts';
import type { Launch, RduPart } from './rdu.ts';
import { type SsdPart, ssdCapacity, ssdPeaks } from './ssd/part.ts';
import { tierCapacity } from './tiers.ts';

/**
 * What `clockwright show` prints. `areas` is mm2 by part path, all instances of the part together, where known.
 */
export function describeArch(arch: Arch, areas: ReadonlyMap<string, number> = new Map()): string {
  const sections = [head(arch), partLines(arch, areas), linkLines(arch), tierLines(arch), peakLines(arch)];
  return `${sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')}\n`;
}

function head(arch: Arch): string[] {
  const clocks = [...arch.clocks].map(([name, hertz]) => `${name} ${si(hertz, 'Hz')}`).join(', ');
  const technology = arch.technology && `${arch.technology.name} (${arch.technology.node} nm)`;
  return table([
    [arch.name, arch.about],
    ['source', arch.source || 'none given'],
    ['technology', technology ?? 'none: no energy and no area'],
    ['clocks', clocks],
    ...peerRows('devices', arch.devices, 'in a node', arch.link),
    ...peerRows('nodes', arch.nodes, 'in all', arch.network),
  ]);
}

function peerRows(what: string, count: number, where: string, link: PeerLink | null): string[][] {
  if (count === 1 || !link) return [];
  return [[what, `${count} ${where}, ${bytes(link.bandwidth)}/s each way, latency ${si(link.latency * 1e-12, 's')}`]];
}

function partLines(arch: Arch, areas: ReadonlyMap<string, number>): string[] {
  const totals = new Map(expandParts(arch).map(({ path, count }) => [path, count]));
  const rows = [...arch.parts].flatMap(([name, part]) => partRows(arch, name, name, part, 0, totals, areas));
  const known = [...areas.values()];
  if (known.length > 0) rows.push(['area', '', '', `${mm2(known.reduce((a, b) => a + b, 0))} in all`]);
  return ['parts', ...table(rows).map((line) => `  ${line}`)];
}

function partRows(
  arch: Arch,
  name: string,
  path: string,
  part: Part,
  depth: number,
  totals: ReadonlyMap<string, number>,
  areas: ReadonlyMap<string, number>,
): string[][] {
  const label = `${'  '.repeat(depth)}${name}`;
  if (part.kind === 'group') {
    const inside = [...part.parts].flatMap(([child, p]) =>
      partRows(arch, child, `${path}.${child}`, p, depth + 1, totals, areas),
    );
    return [[label, times(part.count), part.kind, ''], ...inside];
  }
  const total = totals.get(path)!;
  const area = areas.get(path);
  const facts = [
    ...partFacts(arch, part),
    ...(area === undefined ? [] : [`${mm2(area)}${total > 1 ? ' in all' : ''}`]),
  ];
  const inAll = total > part.count ? `${times(part.count)} (${total} in all)` : times(part.count);
  const rows = [[label, inAll, part.kind, facts.join(', ')]];
  if (part.kind === 'array' || part.kind === 'vector') {
    rows.push(...operationRows(arch, part, total).map((text) => ['', '', '', text]));
  }
  return rows;
}

function partFacts(arch: Arch, part: Exclude<Part, GroupPart>): string[] {
  switch (part.kind) {
    case 'memory':
      return [
        ...(part.dram ? dramFacts(part.dram) : []),
        part.dram ? bytes(part.capacity) : `${bytes(part.capacity)}, ${part.model}`,
        `${bytes(part.bandwidth)}/s`,
        `latency ${span(part.latency)}`,
      ];
    case 'scratchpad':
      return [
        bytes(part.capacity),
        `${counted(part.banks, 'bank')} x ${counted(part.ports, 'port')} x ${bytes(part.width)}`,
        `${bytes(scratchpadBandwidth(arch, part))}/s`,
        `latency ${span(part.latency)}`,
        ...(part.holds.size < contents.length ? [`holds ${part.holds.join(', ')}`] : []),
        ...(part.layout ? [part.layout] : []),
        ...clock(arch, part.clock),
      ];
    case 'array':
      return [
        `${part.rows} x ${part.columns} PEs`,
        part.dataflow,
        `${part.feed} feed`,
        ...(part.overlap === 'none' ? ['folds do not overlap'] : []),
        ...(part.overlap === 'preload' ? ['folds are preloaded'] : []),
        ...(part.overlap === 'drain' ? ['only drains overlap'] : []),
        ...(part.sparsity === 'structured' ? ['skips N:M zeros'] : []),
        ...(part.reduce ? [`reduces along ${part.reduce.along}`] : []),
        ...engineFacts(part),
        ...clock(arch, part.clock),
      ];
    case 'vector':
      return [counted(part.lanes, 'lane'), ...engineFacts(part), ...clock(arch, part.clock)];
    case 'rdu':
      return [...rduFacts(part), ...clock(arch, part.clock)];
    case 'dma':
      return [...limit(part.bandwidth), `setup ${span(part.setup)}`, ...clock(arch, part.clock)];
    case 'link':
      return [...limit(part.bandwidth), `latency ${span(part.latency)}`, ...clock(arch, part.clock)];
    case 'ssd':
      return ssdFacts(part);
    case 'packet-link':
    case 'switch':
    case 'device':
    case 'host':
      return fabricFacts(part, { bytes, time: (ps) => si(ps * 1e-12, 's'), counted });
  }

  function engineFacts({ registers, input, output }: Engine): string[] {
    return [
      ...(registers ? [`${registers.words} x ${registers.dtype} registers`] : []),
      ...(input ? [`in ${rate(input)}`] : []),
      ...(output ? [`out ${rate(output)}`] : []),
    ];
  }
}

/** `DDR4, DDR4_8Gb_x8 at DDR4_2400R, 2 channels x 2 ranks`, and the policies that are not the usual ones. */
function dramFacts(memory: DramMemory): string[] {
  const { standard, organisation, speed, channels, ranks } = memory;
  const usual = new DramMemory();
  const inEach = ranks === null ? '' : ` x ${counted(ranks, 'rank')}`;
  return [
    standard.name,
    `${organisation} at ${speed}`,
    `${counted(channels, 'channel')}${inEach}`,
    ...(memory.mapping === usual.mapping ? [] : [memory.mapping]),
    ...(memory.scheduler === usual.scheduler ? [] : [memory.scheduler]),
    ...(memory.page.equals(usual.page) ? [] : [`${pageText(memory.page)} page`]),
    ...(memory.refreshes === usual.refreshes ? [] : [`${memory.refreshes} refresh`]),
    ...(memory.pim === null ? [] : [`${memory.pim} PIM`]),
    ...(memory.issue === null ? [] : [`${memory.issue} PIM commands per cycle from the host`]),
  ];
}

/** `228.9 GiB, 8 channels x 4 chips x 2 dies x 2 planes, link 3.282 GB/s, buses 2.667 GB/s`. */
function ssdFacts(part: SsdPart): string[] {
  const { channels, chips, dies, planes } = part.flash;
  const peaks = ssdPeaks(part);
  const levels = [counted(channels, 'channel'), counted(chips, 'chip'), counted(dies, 'die'), counted(planes, 'plane')];
  return [bytes(ssdCapacity(part)), levels.join(' x '), `link ${bytes(peaks.link)}/s`, `buses ${bytes(peaks.buses)}/s`];
}

function rduFacts({ grid, pcus, pmus, pcu, pmu, network, agcu, capacity, software, hardware }: RduPart): string[] {
  const total = ({ total: ps }: Launch): string => si(ps * 1e-12, 's');
  return [
    `${grid.rows} x ${grid.columns} switches`,
    `${pcus} PCUs of ${pcu.lanes} lanes x ${pcu.stages} stages${pcu.systolic ? ', systolic' : ''}`,
    `${pmus} PMUs of ${bytes(pmu.capacity)} in ${counted(pmu.banks, 'bank')} (${bytes(capacity)} in all), read ${rate(pmu.read)}, write ${rate(pmu.write)}`,
    `${network.topology} of ${rate(network.width)}, ${span(network.hop)} per hop, ${counted(network.credits, 'credit')}${network.multicast ? ', multicast' : ''}`,
    `${counted(agcu.count, 'AGCU')} of ${rate(agcu.width)}, ${agcu.window} requests of ${bytes(agcu.coalesce)} in flight`,
    `launch ${total(software)} by software, ${total(hardware)} by hardware`,
  ];
}

function tierLines(arch: Arch): string[] {
  const rows = arch.tiers.toArray().map((path) => [path, bytes(tierCapacity(arch, path))]);
  return rows.length > 0 ? ['tiers, near to far', ...table(rows).map((line) => `  ${line}`)] : [];
}

function operationRows(arch: Arch, engine: Engine, total: number): string[] {
  const peaks = peakOperations(arch, engine, total);
  return ordered(engine.operations).map(([name, cost]) => {
    const depth = cost.depth > cost.cycles ? `, depth ${cost.depth}` : '';
    const multiple = cost.action === name ? '' : ` (${cost.actions} ${cost.action})`;
    return `${name.padEnd(10)} ${si(peaks.get(name)!, 'op/s').padStart(13)}   ${counted(cost.cycles, 'cycle')}${depth}${multiple}`;
  });
}

function linkLines(arch: Arch): string[] {
  if (arch.links.isEmpty()) return [];
  const rows = arch.links
    .toArray()
    .map((link) => [
      `${link.from} ${link.both ? '<->' : '->'} ${link.to}`,
      link.via === null ? '' : `via ${link.via}`,
      link.bandwidth ? rate(link.bandwidth) : '',
      linkPeaks(arch, link),
    ]);
  return ['links, each way', ...table(rows).map((line) => `  ${line}`)];
}

function linkPeaks(arch: Arch, link: Link): string {
  const there = linkPeak(arch, link, false);
  const back = link.both ? linkPeak(arch, link, true) : there;
  return there === back ? there : `${there}, back ${back}`;
}

function linkPeak(arch: Arch, link: Link, back: boolean): string {
  const bandwidth = linkBandwidth(arch, link, back);
  if (bandwidth === Number.POSITIVE_INFINITY) return 'unlimited';
  const ends = [link.from, link.to].map((path) => totalOf(arch, path));
  const most = Math.max(...ends);
  return most > 1 ? `${most} x ${bytes(bandwidth)}/s` : `${bytes(bandwidth)}/s`;
}

function totalOf(arch: Arch, path: string): number {
  const steps = path.split('.');
  return steps.reduce((all, _, i) => all * (partAt(arch, steps.slice(0, i + 1).join('.'))?.count ?? 1), 1);
}

function peakLines(arch: Arch): string[] {
  const peaks = new Map<string, [string, number][]>();
  for (const { path, part, count } of expandParts(arch)) {
    if (part.kind === 'rdu') peaks.set('mac', [...(peaks.get('mac') ?? []), [path, rduPeak(arch, part, count)]]);
    if (part.kind !== 'array' && part.kind !== 'vector') continue;
    for (const [name, peak] of peakOperations(arch, part, count)) {
      peaks.set(name, [...(peaks.get(name) ?? []), [path, peak]]);
    }
  }
  const rows = ordered(peaks).map(([name, engines]) => {
    const total = engines.reduce((sum, [, peak]) => sum + peak, 0);
    const shares = engines.map(([path, peak]) => `${path} ${si(peak, 'op/s')}`);
    return [name, si(total, 'op/s'), shares.length > 1 ? shares.join(' + ') : shares[0]!.split(' ')[0]!];
  });
  const memories = expandParts(arch).flatMap(({ part, count }) =>
    part.kind === 'memory' ? [part.bandwidth * count] : [],
  );
  if (memories.length > 0) rows.push(['memory', `${bytes(memories.reduce((a, b) => a + b))}/s`, '']);
  return rows.length > 0 ? ['peak', ...table(rows).map((line) => `  ${line}`)] : [];
}

/** Operations in the order of the language's own list. */
function ordered<T>(operations: Iterable<[string, T]> & { get(name: string): T | undefined }): [string, T][] {
  return operationNames.flatMap((name): [string, T][] => {
    const value = operations.get(name);
    return value === undefined ? [] : [[name, value]];
  });
}

/** A part's clock is worth saying when there are several. */
function clock(arch: Arch, name: string): string[] {
  return arch.clocks.size > 1 ? [`clock ${name}`] : [];
}

function limit(bandwidth: Rate | null): string[] {
  return bandwidth ? [rate(bandwidth)] : [];
}

export function table(rows: readonly (readonly string[])[]): string[] {
  const widths = rows.reduce<number[]>((all, row) => row.map((cell, i) => Math.max(all[i] ?? 0, cell.length)), []);
  return rows.map((row) =>
    row
      .map((cell, i) => cell.padEnd(widths[i]!))
      .join('  ')
      .trimEnd(),
  );
}

function times(count: number): string {
  return count > 1 ? `${count} x` : '';
}

export function counted(count: number, noun: string): string {
  return count === 1 ? `1 ${noun}` : `${count} ${noun}s`;
}

function rate({ bytes: amount, per }: Rate): string {
  return `${bytes(amount)}/${per === 'cycle' ? 'cycle' : 's'}`;
}

function span({ amount, unit }: Span): string {
  return unit === 'cycles' ? counted(amount, 'cycle') : si(amount * 1e-12, 's');
}

function mm2(area: number): string {
  return `${format('.4~r')(area)} mm2`;
}

/** With a binary prefix where that leaves a whole number, else with a decimal one. */
export function bytes(amount: number): string {
  const prefixes = ['', 'Ki', 'Mi', 'Gi', 'Ti'];
  const power = prefixes.findLastIndex((_, i) => amount >= 1024 ** i && amount % 1024 ** i === 0);
  return amount % 1000 === 0 || power < 1 ? si(amount, 'B') : `${amount / 1024 ** power} ${prefixes[power]}B`;
}

/** Four digits and a decimal prefix. */
function si(value: number, unit: string): string {
  const [, digits, prefix] = /^([\d.]+)(.*)$/.exec(format('.4~s')(value))!;
  return `${digits} ${prefix!.replace('µ', 'u')}${unit}`;
}
