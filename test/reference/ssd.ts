/**
 * The slow twin of an SSD, without garbage collection: objects, sets and lists, and one list of things to do that is
 * searched for the next one. It holds as long as no plane runs short of blocks and no mapping entry has to leave the cache.
 */
import type { SsdPart } from '../../arch/language/ssd/part.ts';

const sector = 512;
const rewriteWindow = 1e12;

interface Request {
  readonly write: boolean;
  readonly offset: number;
  readonly bytes: number;
  readonly submitted: number;
  readonly done: (ps: number, submitted: number) => void;
  /** What has to happen before it is done. */
  readonly open: Set<object>;
}

/** A page that flash reads or programs. */
interface Operation {
  readonly kind: 'user' | 'table' | 'rest' | 'write';
  readonly page: number;
  sectors: Set<number>;
  bytes: number;
  plane: number;
  row: number;
  /** Reads that have to be done before. */
  readonly needs: Set<Operation>;
  readonly finished: () => void;
}

interface Unit {
  busy: boolean;
  readonly table: Operation[];
  readonly reads: Operation[];
  readonly writes: Operation[];
}

interface Channel {
  busy: boolean;
  turn: number;
  readonly units: Unit[];
  readonly tableOut: (() => void)[];
  readonly userOut: (() => void)[];
}

interface Held {
  sectors: Set<number>;
  dirty: boolean;
  version: object;
}

export class SlowSsd {
  now = 0;
  readonly commands = { read: 0, multiplaneRead: 0, program: 0, multiplaneProgram: 0 };
  tableReads = 0;
  readonly #part: SsdPart;
  #todo: { readonly time: number; readonly order: number; readonly act: () => void }[] = [];
  #order = 0;
  readonly #free = { toDevice: 0, toHost: 0, dram: 0 };
  readonly #submissionQueue = { held: 0, waiting: [] as Request[] };
  readonly #controller = { held: 0, waiting: [] as Request[] };
  readonly #channels: Channel[];
  /** Where pages are, and their written sectors; how many pages of a plane were given out. */
  readonly #places = new Map<number, { plane: number; row: number; sectors: Set<number> }>();
  readonly #given = new Map<number, number>();
  readonly #known = new Set<number>();
  readonly #fetching = new Map<number, Operation[]>();
  readonly #cache = new Map<number, Held>();
  readonly #lastWindow = new Map<number, number>();
  readonly #roomless: { readonly request: Request; readonly pages: Operation[]; readonly mark: object }[] = [];
  #leaving = 0;

  constructor(part: SsdPart) {
    this.#part = part;
    const { channels, chips, dies, busy } = part.flash;
    this.#channels = Array.from({ length: channels }, () => ({
      busy: false,
      turn: 0,
      units: Array.from({ length: chips * (busy === 'die' ? dies : 1) }, () => ({
        busy: false,
        table: [],
        reads: [],
        writes: [],
      })),
      tableOut: [],
      userOut: [],
    }));
  }

  submit(ps: number, offset: number, bytes: number, write: boolean, done: Request['done']): void {
    const request: Request = { write, offset, bytes, submitted: ps, done, open: new Set() };
    const arrive = (): void => {
      if (this.#submissionQueue.held === this.#part.queues.depth) this.#submissionQueue.waiting.push(request);
      else this.#ring(request);
    };
    if (ps > this.now) this.#at(ps, arrive);
    else arrive();
  }

  run(): void {
    while (this.#todo.length > 0) {
      const next = this.#todo.reduce((a, b) => (b.time < a.time || (b.time === a.time && b.order < a.order) ? b : a));
      this.#todo = this.#todo.filter((other) => other !== next);
      this.now = next.time;
      next.act();
    }
  }

  #at(time: number, act: () => void): void {
    this.#todo.push({ time, order: this.#order++, act });
  }

  /** Packets of full payload, and one with the rest. */
  #send(way: 'toDevice' | 'toHost', bytes: number, arrived: () => void): void {
    const { payload, overhead } = this.#part.link;
    let all = 0;
    for (let rest = bytes; rest > 0; rest -= payload) all += Math.min(rest, payload) + overhead;
    this.#transmit(way, all, arrived);
  }

  #ask(way: 'toDevice' | 'toHost', arrived: () => void): void {
    this.#transmit(way, this.#part.link.overhead + 4, arrived);
  }

  #transmit(way: 'toDevice' | 'toHost', bytes: number, arrived: () => void): void {
    const { lanes, lane } = this.#part.link;
    this.#free[way] = Math.max(this.now, this.#free[way]) + Math.round((Math.ceil(bytes / lanes) * 1e12) / lane);
    this.#at(this.#free[way], arrived);
  }

  #ring(request: Request): void {
    this.#submissionQueue.held++;
    this.#send('toDevice', 4, () => {
      if (this.#controller.held === this.#part.queues.fetch) this.#controller.waiting.push(request);
      else this.#fetch(request);
    });
  }

  #fetch(request: Request): void {
    this.#controller.held++;
    this.#ask('toHost', () =>
      this.#send('toDevice', this.#part.queues.command, () => {
        if (!request.write) this.#read(request);
        else this.#ask('toHost', () => this.#send('toDevice', request.bytes, () => this.#write(request)));
      }),
    );
  }

  #partDone(request: Request, what: object): void {
    request.open.delete(what);
    if (request.open.size > 0) return;
    this.#controller.held--;
    if (!request.write) this.#send('toHost', request.bytes, () => {});
    const next = this.#controller.waiting.shift();
    if (next) this.#fetch(next);
    this.#send('toHost', this.#part.queues.completion, () => {
      this.#submissionQueue.held--;
      const waiting = this.#submissionQueue.waiting.shift();
      if (waiting) this.#ring(waiting);
      this.#send('toDevice', 4, () => {});
      request.done(this.now, request.submitted);
    });
  }

  /** One page after the other, with the sectors of each. */
  #pagesOf({ offset, bytes }: Request): Map<number, Set<number>> {
    const inPage = this.#part.flash.page / sector;
    const pages = new Map<number, Set<number>>();
    for (let s = Math.floor(offset / sector); s < Math.ceil((offset + bytes) / sector); s++) {
      const page = Math.floor(s / inPage);
      pages.set(page, (pages.get(page) ?? new Set()).add(s % inPage));
    }
    return pages;
  }

  #operation(
    kind: Operation['kind'],
    page: number,
    sectors: Set<number>,
    finished: (own: Operation) => void,
  ): Operation {
    const bytes = sectors.size * sector;
    const own: Operation = {
      kind,
      page,
      sectors,
      bytes,
      plane: -1,
      row: -1,
      needs: new Set(),
      finished: () => finished(own),
    };
    return own;
  }

  #read(request: Request): void {
    let found = 0;
    const reads: Operation[] = [];
    for (const [page, sectors] of this.#pagesOf(request)) {
      const held = this.#cache.get(page)?.sectors ?? new Set();
      const missing = new Set([...sectors].filter((s) => !held.has(s)));
      found += sectors.size - missing.size;
      if (missing.size === 0) continue;
      const read = this.#operation('user', page, missing, (own) => this.#partDone(request, own));
      request.open.add(read);
      reads.push(read);
    }
    if (found > 0) this.#dramAccess(found * sector, request);
    this.#translate(reads);
  }

  #write(request: Request): void {
    const mark = {};
    request.open.add(mark);
    const pages = [...this.#pagesOf(request)].map(([page, sectors]) =>
      this.#operation('write', page, sectors, (own) => this.#programmed(own)),
    );
    if (!this.#take(request, pages, mark)) this.#roomless.push({ request, pages, mark });
  }

  get #hasRoom(): boolean {
    const { channels, chips, dies, planes, page } = this.#part.flash;
    return this.#leaving < channels * chips * dies * planes * (page / sector);
  }

  readonly #versions = new Map<Operation, object>();

  /** Takes pages while there is room, and takes them out of the list; whether it took all. */
  #take(request: Request, pages: Operation[], mark: object): boolean {
    let bytes = 0;
    const out: Operation[] = [];
    while (pages.length > 0 && this.#hasRoom) {
      const write = pages.shift()!;
      bytes += write.bytes;
      const before = this.#cache.get(write.page);
      if (!before && this.#cache.size === Math.floor(this.#part.cache.capacity / this.#part.flash.page)) this.#evict();
      const held: Held = {
        sectors: new Set([...(before?.sectors ?? []), ...write.sectors]),
        dirty: this.#lastWindow.get(write.page) === Math.floor(this.now / rewriteWindow),
        version: {},
      };
      this.#cache.delete(write.page);
      this.#cache.set(write.page, held);
      this.#lastWindow.set(write.page, Math.floor(this.now / rewriteWindow));
      if (held.dirty) continue;
      this.#leaving += write.sectors.size;
      this.#versions.set(write, held.version);
      out.push(write);
    }
    if (bytes > 0) this.#dramAccess(bytes, request);
    this.#translate(out);
    if (pages.length > 0) return false;
    request.open.delete(mark);
    return true;
  }

  #evict(): void {
    const [page, held] = this.#cache.entries().next().value!;
    this.#cache.delete(page);
    if (!held.dirty) return;
    const write = this.#operation('write', page, held.sectors, (own) => this.#programmed(own));
    this.#versions.set(write, held.version);
    this.#leaving += held.sectors.size;
    this.#at(this.#dramTime(write.bytes), () => this.#translate([write]));
  }

  #dramTime(bytes: number): number {
    const { bandwidth, row, latency, precharge } = this.#part.cache;
    const rows = Math.ceil(bytes / row);
    this.#free.dram = Math.max(this.now, this.#free.dram);
    this.#free.dram += rows * latency + (rows - 1) * precharge + Math.round((bytes * 1e12) / bandwidth);
    return this.#free.dram;
  }

  #dramAccess(bytes: number, request: Request): void {
    const access = {};
    request.open.add(access);
    this.#at(this.#dramTime(bytes), () => this.#partDone(request, access));
  }

  #programmed(write: Operation): void {
    this.#leaving -= write.sectors.size;
    if (this.#cache.get(write.page)?.version === this.#versions.get(write)) this.#cache.delete(write.page);
    for (let first = this.#roomless[0]; first !== undefined && this.#hasRoom; first = this.#roomless[0]) {
      if (this.#take(first.request, first.pages, first.mark)) this.#roomless.shift();
    }
  }

  /** Entries of the table on a page of it. */
  get #entries(): number {
    const { channels, chips, dies, planes, blocks, pages, page } = this.#part.flash;
    const bits = Math.log2(channels * chips * dies * planes * blocks * pages) + page / sector;
    return Math.floor(page / Math.ceil(bits / 8));
  }

  #translate(operations: readonly Operation[]): void {
    const found: Operation[] = [];
    for (const operation of operations) {
      if (this.#part.translation.table === 'ideal' || this.#known.has(operation.page)) {
        found.push(operation);
        continue;
      }
      const table = Math.floor(operation.page / this.#entries);
      const waiting = this.#fetching.get(table);
      if (waiting) waiting.push(operation);
      else {
        this.#fetching.set(table, [operation]);
        this.#fetchTable(table);
        this.#schedule();
      }
    }
    for (const operation of found) this.#locate(operation);
    this.#schedule();
  }

  #fetchTable(table: number): void {
    this.tableReads++;
    const read = this.#operation('table', table, new Set([0]), () => {
      const waiting = this.#fetching.get(table)!;
      this.#fetching.delete(table);
      for (const operation of waiting) {
        this.#known.add(operation.page);
        this.#locate(operation);
      }
      this.#schedule();
    });
    read.plane = this.#planeOf(table);
    // Pages of the table were put down in their order.
    let before = 0;
    for (let other = 0; other < table; other++) if (this.#planeOf(other) === read.plane) before++;
    read.row = before % this.#part.flash.pages;
    this.#unitOf(read.plane).table.push(read);
  }

  #locate(operation: Operation): void {
    const place = this.#places.get(operation.page);
    if (operation.kind === 'user') {
      const found = place ?? this.#give(operation.page, operation.sectors);
      Object.assign(operation, { plane: found.plane, row: found.row });
      this.#unitOf(found.plane).reads.push(operation);
      return;
    }
    const rest = new Set([...(place?.sectors ?? [])].filter((s) => !operation.sectors.has(s)));
    const next = this.#give(operation.page, new Set([...(place?.sectors ?? []), ...operation.sectors]));
    if (place && rest.size > 0) {
      const read = this.#operation('rest', operation.page, rest, (own) => operation.needs.delete(own));
      Object.assign(read, { plane: place.plane, row: place.row });
      operation.needs.add(read);
      operation.bytes += read.bytes;
      this.#unitOf(place.plane).reads.push(read);
    }
    Object.assign(operation, { plane: next.plane, row: next.row });
    this.#unitOf(next.plane).writes.push(operation);
  }

  #give(page: number, sectors: Set<number>): { plane: number; row: number; sectors: Set<number> } {
    const plane = this.#planeOf(page);
    const count = this.#given.get(plane) ?? 0;
    this.#given.set(plane, count + 1);
    const place = { plane, row: count % this.#part.flash.pages, sectors };
    this.#places.set(page, place);
    return place;
  }

  #planeOf(page: number): number {
    const { channels, chips, dies, planes } = this.#part.flash;
    const counts = { C: channels, W: chips, D: dies, P: planes };
    const at = { C: 0, W: 0, D: 0, P: 0 };
    let rest = page;
    for (const letter of this.#part.translation.allocation as Iterable<keyof typeof at>) {
      at[letter] = rest % counts[letter];
      rest = Math.floor(rest / counts[letter]);
    }
    return ((at.C * chips + at.W) * dies + at.D) * planes + at.P;
  }

  #channelOf(plane: number): Channel {
    const { chips, dies, planes } = this.#part.flash;
    return this.#channels[Math.floor(plane / (chips * dies * planes))]!;
  }

  #unitOf(plane: number): Unit {
    const { units } = this.#channelOf(plane);
    const { chips, dies, planes } = this.#part.flash;
    const inChannel = plane % (chips * dies * planes);
    return units[Math.floor((inChannel * units.length) / (chips * dies * planes))]!;
  }

  #schedule(): void {
    for (const channel of this.#channels) if (!channel.busy) this.#offer(channel);
  }

  #offer(channel: Channel): void {
    for (let i = 0; i < channel.units.length && !channel.busy; i++) {
      const unit = channel.units[channel.turn]!;
      channel.turn = (channel.turn + 1) % channel.units.length;
      if (!unit.busy) this.#start(channel, unit);
    }
  }

  #start(channel: Channel, unit: Unit): void {
    const queues = unit.table.length + unit.reads.length > 0 ? [unit.table, unit.reads] : [unit.writes];
    const ready = queues.flat().filter(({ needs }) => needs.size === 0);
    const lead = ready[0];
    if (lead === undefined) return;
    const { planes } = this.#part.flash;
    const die = (plane: number): number => Math.floor(plane / planes);
    const group: Operation[] = [];
    for (const other of ready) {
      const isFree = !group.some(({ plane }) => plane === other.plane);
      if (die(other.plane) === die(lead.plane) && other.row === lead.row && isFree) group.push(other);
    }
    for (const queue of queues) queue.splice(0, queue.length, ...queue.filter((other) => !group.includes(other)));
    if (lead.kind === 'write') this.#program(channel, unit, group);
    else this.#readPages(channel, unit, group);
  }

  #cycles(bytes: number): number {
    return Math.ceil(bytes / (2 * this.#part.bus.width)) * this.#part.bus.cycle;
  }

  #onBus(channel: Channel, time: number, then: () => void): void {
    channel.busy = true;
    this.#at(this.now + time, () => {
      then();
      channel.busy = false;
      const out = channel.tableOut.shift() ?? channel.userOut.shift();
      if (out) out();
      else this.#offer(channel);
    });
  }

  #readPages(channel: Channel, unit: Unit, group: readonly Operation[]): void {
    const { bus, flash } = this.#part;
    this.commands[group.length === 1 ? 'read' : 'multiplaneRead']++;
    unit.busy = true;
    const command = bus.tCS + group.length * 6 * bus.tWC + (group.length - 1) * bus.tDBSY + bus.tWB + bus.tRR;
    this.#onBus(channel, command, () =>
      this.#at(this.now + flash.read.get(group[0]!.row % flash.read.size)! + flash.ready, () => {
        let left = group.length;
        for (const operation of group) {
          const out = (): void =>
            this.#onBus(channel, bus.tRPRE + bus.tDQSRE + this.#cycles(operation.bytes), () => {
              operation.finished();
              if (--left === 0) unit.busy = false;
            });
          if (channel.busy) (group[0]!.kind === 'table' ? channel.tableOut : channel.userOut).push(out);
          else out();
        }
      }),
    );
  }

  #program(channel: Channel, unit: Unit, group: readonly Operation[]): void {
    const { bus, flash } = this.#part;
    this.commands[group.length === 1 ? 'program' : 'multiplaneProgram']++;
    unit.busy = true;
    let time = bus.tCS;
    group.forEach(({ bytes }, i) => {
      const isLast = i === group.length - 1;
      time += isLast
        ? 6 * bus.tWC + bus.tADL + bus.tWPST + bus.tWPSTH + bus.tWB
        : 5 * bus.tWC + bus.tADL + bus.tWPST + bus.tCALS + bus.tWB + bus.tDBSY;
      time += this.#cycles(bytes);
    });
    this.#onBus(channel, time, () =>
      this.#at(this.now + flash.program.get(group[0]!.row % flash.program.size)!, () => {
        for (const operation of group) operation.finished();
        unit.busy = false;
        if (!channel.busy) this.#offer(channel);
      }),
    );
  }
}
