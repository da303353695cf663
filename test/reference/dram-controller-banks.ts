/** The DRAM side of the ticking controller: the state of each bank, and when each command may next start at each node. */
import type { DramDevice } from '../../arch/language/dram/device.ts';

/** One bank: what commands have left of it, and what page policies want to know. */
export interface Bank {
  /** Place in tree order. */
  readonly index: number;
  /** Index at each level, the channel's first. */
  readonly path: readonly number[];
  state: 'closed' | 'activated' | 'open';
  /** The row that is open; -1 unless `state` is `open`. */
  row: number;
  /** Reads and writes since it was last closed. */
  accesses: number;
  /** Tick of its last opening, read or write. */
  lastUse: number;
  /** A page policy has queued a precharge, and the bank has not been closed since. */
  prechargeQueued: boolean;
}

/** A node of the device's tree: the channel, a rank, ..., a bank. */
interface Node {
  readonly path: readonly number[];
  /** Per command: the first tick at which this node's constraints let it start. */
  readonly ready: number[];
  /** Per command: the ticks at which it named this node, the latest first. */
  readonly times: number[][];
}

/** The banks of a channel and their timing. A path that ends above the banks names every node below its last one. */
export class TickingBanks {
  readonly all: readonly Bank[];
  private readonly device: DramDevice;
  /** By level. */
  private readonly nodes: readonly (readonly Node[])[];
  /** Per bank, the nodes from the channel down to it. */
  private readonly chains: readonly (readonly Node[])[];
  private readonly everyNode: readonly Node[];
  private readonly longestWindow: number;

  constructor(device: DramDevice) {
    this.device = device;
    this.nodes = device.levels.map((_, level) => pathsOf(device, level).map((path) => newNode(device, path)));
    this.everyNode = this.nodes.flat();
    const leaves = this.nodes[device.levels.length - 1];
    this.all = leaves.map(({ path }, index) => newBank(index, path));
    this.chains = leaves.map((leaf) => this.everyNode.filter((node) => agree(node.path, leaf.path)));
    this.longestWindow = Math.max(...device.constraints.map((rule) => rule.window));
  }

  /** Paths of the nodes of a level, in index order. */
  pathsAt(level: number): readonly (readonly number[])[] {
    return this.nodes[level].map((node) => node.path);
  }

  /** The banks that a path names. */
  named(path: readonly number[]): readonly Bank[] {
    return this.all.filter((bank) => agree(path, bank.path));
  }

  /** Whether no constraint keeps a command for one bank from starting. */
  isReady(command: number, bank: Bank, tick: number): boolean {
    return this.chains[bank.index].every((node) => node.ready[command] <= tick);
  }

  /** The same for a command that may name more than one bank. */
  isReadyAt(command: number, path: readonly number[], tick: number): boolean {
    return this.everyNode.every((node) => !agree(path, node.path) || node.ready[command] <= tick);
  }

  /** A command starts: first it constrains those that follow, then it changes the banks that it names. */
  start(command: number, path: readonly number[], row: number, tick: number): void {
    for (const node of this.everyNode) {
      if (!agree(path, node.path)) continue;
      node.times[command].unshift(tick);
      node.times[command].length = Math.min(node.times[command].length, this.longestWindow);
    }
    for (const rule of this.device.constraints) if (rule.after.includes(command)) this.constrain(rule, command, path);
    for (const bank of this.named(path)) this.change(bank, command, row, tick);
  }

  private constrain(rule: DramDevice['constraints'][number], command: number, path: readonly number[]): void {
    const nodes = this.nodes[rule.level];
    for (const node of nodes) {
      const past = node.times[command][rule.window - 1];
      if (!agree(path, node.path) || past === undefined) continue;
      for (const { ready } of rule.sibling ? siblings(nodes, node, path) : [node])
        for (const next of rule.before) ready[next] = Math.max(ready[next], past + rule.latency);
    }
  }

  private change(bank: Bank, command: number, row: number, tick: number): void {
    const { banks, access } = this.device.commands[command];
    if (banks === 'activates') bank.state = 'activated';
    if (banks === 'opens') Object.assign(bank, { state: 'open', row, lastUse: tick });
    if (access !== 'none') Object.assign(bank, { accesses: bank.accesses + 1, lastUse: tick });
    if (banks === 'closes') Object.assign(bank, { state: 'closed', row: -1, accesses: 0, prechargeQueued: false });
  }
}

/** Whether one path begins with the other: each then names the other's node, or one above it. */
export function agree(a: readonly number[], b: readonly number[]): boolean {
  const shared = Math.min(a.length, b.length);
  for (let level = 0; level < shared; level++) if (a[level] !== b[level]) return false;
  return true;
}

/** The other nodes below a node's parent; a command that names them all has none to constrain. */
function siblings(nodes: readonly Node[], { path }: Node, named: readonly number[]): readonly Node[] {
  if (named.length < path.length) return [];
  const parent = path.slice(0, -1);
  return nodes.filter((other) => other.path.at(-1) !== path.at(-1) && agree(parent, other.path));
}

/** Paths of all nodes of a level in tree order. */
function pathsOf(device: DramDevice, level: number): number[][] {
  const children = Array.from({ length: device.counts[level] }, (_, index) => index);
  if (level === 0) return children.map((index) => [index]);
  return pathsOf(device, level - 1).flatMap((parent) => children.map((index) => [...parent, index]));
}

function newNode(device: DramDevice, path: readonly number[]): Node {
  return { path, ready: device.commands.map(() => 0), times: device.commands.map(() => []) };
}

function newBank(index: number, path: readonly number[]): Bank {
  return { index, path, state: 'closed', row: -1, accesses: 0, lastUse: 0, prechargeQueued: false };
}
