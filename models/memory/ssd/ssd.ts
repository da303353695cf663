/** One NVMe SSD: queues, link, controller, cache, translation and flash. */
import { logicalPages, type SsdPart, sectorBytes } from '../../../arch/language/ssd/part.ts';
import { WriteCache } from './cache.ts';
import {
  arrayDone,
  arrival,
  cacheDone,
  command,
  commandAsked,
  commandSent,
  completion,
  data,
  dataAsked,
  dataOut,
  doorbell,
  evicted,
  indexMask,
  kindMask,
} from './codes.ts';
import { EventQueue } from './events.ts';
import { Flash } from './flash.ts';
import { Ftl } from './ftl.ts';
import { LinkDirection } from './link.ts';
import type { BlockDevice, Done } from './port.ts';
import { Requests } from './requests.ts';
import { FlashTiming } from './timing.ts';
import {
  eraseBlock,
  moveRead,
  moveWrite,
  ones,
  Transactions,
  tableRead,
  tableWrite,
  updateRead,
  userRead,
  userWrite,
} from './transactions.ts';

/** Bytes of a doorbell register. */
const doorbellBytes = 4;
const none = -1;

export class Ssd implements BlockDevice {
  /** Bytes of its addresses. */
  readonly capacity: number;
  readonly ftl: Ftl;
  readonly flash: Flash;
  readonly cache: WriteCache;
  readonly toDevice: LinkDirection;
  readonly toHost: LinkDirection;
  /** Of the queues: entries, commands in the controller, bytes of a command and of a completion. */
  readonly #depth: number;
  readonly #window: number;
  readonly #commandBytes: number;
  readonly #completionBytes: number;
  readonly #events = new EventQueue();
  readonly #txs = new Transactions();
  readonly #requests = new Requests();
  readonly #sectorsOfPage: number;
  /** Requests in the submission queue or beyond, and commands in the controller. */
  #queued = 0;
  #inController = 0;

  constructor(part: SsdPart) {
    const logical = logicalPages(part);
    const timing = new FlashTiming(part);
    const { depth, fetch, command: commandBytes, completion: completionBytes } = part.queues;
    this.#depth = depth;
    this.#window = fetch;
    this.#commandBytes = commandBytes;
    this.#completionBytes = completionBytes;
    this.capacity = logical * part.flash.page;
    this.#sectorsOfPage = part.flash.page / sectorBytes;
    this.toDevice = new LinkDirection(part.link);
    this.toHost = new LinkDirection(part.link);
    this.flash = new Flash(timing, this.#events, this.#txs, this);
    this.ftl = new Ftl(part, logical, timing, this.#txs, this.flash);
    this.cache = new WriteCache(part, logical, this.#events, this.#txs, this.ftl);
  }

  get now(): number {
    return this.#events.now;
  }

  get next(): number {
    return this.#events.next;
  }

  submit(ps: number, offset: number, bytes: number, write: boolean, done: Done): void {
    if (!(offset >= 0 && bytes > 0 && offset + bytes <= this.capacity))
      throw new RangeError(`bytes ${offset} to ${offset + bytes} of an SSD of ${this.capacity} bytes`);
    const request = this.#requests.make(ps, offset, bytes, write, done);
    if (ps > this.now) this.#events.put(ps, arrival | request);
    else this.#arrive(request);
  }

  advance(until: number): void {
    const events = this.#events;
    while (events.size > 0 && events.next <= until) this.#handle(events.take());
  }

  /** Of the flash: a transaction is done. */
  flashDone(tx: number): void {
    const { purpose, owner } = this.#txs;
    switch (purpose[tx]) {
      case userRead: {
        const request = owner[tx]!;
        this.ftl.readDone(tx);
        this.#txs.free(tx);
        this.#partDone(request);
        break;
      }
      case updateRead:
        this.ftl.updateReadDone(tx);
        break;
      case tableRead:
        this.ftl.tableReadDone(tx);
        break;
      case moveRead:
        this.ftl.collector.readDone(tx);
        break;
      case userWrite:
        this.ftl.writeDone(tx);
        this.cache.written(tx);
        this.#writeWaiting();
        break;
      case tableWrite:
        this.ftl.tableWriteDone(tx);
        break;
      case moveWrite:
        this.ftl.collector.writeDone(tx);
        break;
      case eraseBlock:
        this.ftl.collector.eraseDone(tx);
        break;
    }
  }

  #handle(code: number): void {
    const index = code & indexMask;
    switch (code & kindMask) {
      case arrival:
        this.#arrive(index);
        break;
      case doorbell:
        if (this.#inController < this.#window) this.#fetch(index);
        else this.#requests.unfetched.push(index);
        break;
      case commandAsked:
        this.#events.put(this.toDevice.send(this.now, this.#commandBytes), command | index);
        break;
      case command:
        if (this.#requests.write[index] === 1) this.#events.put(this.toHost.ask(this.now), dataAsked | index);
        else this.#read(index);
        break;
      case dataAsked:
        this.#events.put(this.toDevice.send(this.now, this.#requests.bytes[index]!), data | index);
        break;
      case data:
        this.#requests.pages[index] = this.#split(index, userWrite);
        this.#requests.left[index] = 1;
        if (!this.#write(index)) this.#requests.unwritten.push(index);
        break;
      case cacheDone:
        this.#partDone(index);
        break;
      case evicted:
        this.cache.evictionRead(index);
        break;
      case commandSent:
        this.flash.commandSent(index);
        break;
      case arrayDone:
        this.flash.arrayDone(index);
        break;
      case dataOut:
        this.flash.dataOut(index);
        break;
      case completion:
        this.#complete(index);
        break;
    }
  }

  /** A request enters the submission queue, or waits until that has room. */
  #arrive(request: number): void {
    if (++this.#queued > this.#depth) this.#requests.unqueued.push(request);
    else this.#ring(request);
  }

  #ring(request: number): void {
    this.#events.put(this.toDevice.send(this.now, doorbellBytes), doorbell | request);
  }

  #fetch(request: number): void {
    this.#inController++;
    this.#events.put(this.toHost.ask(this.now), commandAsked | request);
  }

  /** What of a read the cache holds comes from there, the rest from flash. */
  #read(request: number): void {
    const txs = this.#txs;
    let found = 0;
    let parts = 0;
    let head = none;
    let last = none;
    for (let tx = this.#split(request, userRead), after: number; tx !== none; tx = after) {
      after = txs.next[tx]!;
      txs.next[tx] = none;
      const held = (this.cache.held(txs.page[tx]!) & txs.mask[tx]!) >>> 0;
      const bytes = sectorBytes * ones(held);
      found += bytes;
      txs.mask[tx] = (txs.mask[tx]! & ~held) >>> 0;
      txs.bytes[tx]! -= bytes;
      if (txs.bytes[tx] === 0) {
        txs.free(tx);
        continue;
      }
      parts++;
      if (head === none) head = tx;
      else txs.next[last] = tx;
      last = tx;
    }
    this.#requests.left[request] = parts + (found > 0 ? 1 : 0);
    if (found > 0) this.cache.readBytes(request, found);
    if (head !== none) this.ftl.translate(head);
  }

  /** Pages of a write go to the cache as far as it has room; whether all did. What it takes at a time is one access. */
  #write(request: number): boolean {
    const { pages, left } = this.#requests;
    const head = pages[request]!;
    const rest = this.cache.write(request, head);
    pages[request] = rest;
    if (rest !== head) left[request]!++;
    if (rest !== none) return false;
    left[request]!--;
    return true;
  }

  /** The cache has room again. */
  #writeWaiting(): void {
    const { unwritten } = this.#requests;
    while (unwritten.head !== none && this.cache.hasRoom) {
      if (this.#write(unwritten.head)) unwritten.shift();
    }
  }

  /** The pages of a request as a list of transactions. */
  #split(request: number, purpose: number): number {
    const { offset, bytes } = this.#requests;
    const first = Math.floor(offset[request]! / sectorBytes);
    const end = Math.ceil((offset[request]! + bytes[request]!) / sectorBytes);
    const inPage = this.#sectorsOfPage;
    let head = none;
    let last = none;
    for (let sector = first; sector < end; ) {
      const page = Math.floor(sector / inPage);
      const from = sector - page * inPage;
      const count = Math.min(inPage - from, end - sector);
      const tx = this.#txs.make(purpose, page, count * sectorBytes, request);
      this.#txs.mask[tx] = ((2 ** count - 1) * 2 ** from) >>> 0;
      if (head === none) head = tx;
      else this.#txs.next[last] = tx;
      last = tx;
      sector += count;
    }
    return head;
  }

  /** A part of a request is done; with the last one the host is told. */
  #partDone(request: number): void {
    const requests = this.#requests;
    if (--requests.left[request]! > 0) return;
    this.#inController--;
    if (requests.write[request] === 0) this.toHost.send(this.now, requests.bytes[request]!);
    if (requests.unfetched.head !== none) this.#fetch(requests.unfetched.shift());
    this.#events.put(this.toHost.send(this.now, this.#completionBytes), completion | request);
  }

  /** The host sees a completion: it frees the entry, and tells who asked. */
  #complete(request: number): void {
    const requests = this.#requests;
    this.#queued--;
    if (requests.unqueued.head !== none) this.#ring(requests.unqueued.shift());
    this.toDevice.send(this.now, doorbellBytes);
    const submitted = requests.submitted[request]!;
    const done = requests.take(request);
    done(this.now, submitted);
  }
}
