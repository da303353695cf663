/** Entries that are kept, by a key below 2^32, the one not used for longest first in line to go. */
export class LruTable {
  readonly capacity: number;
  #size = 0;
  /** Slots of entries, hashed by key; -1 where there is none. A power of two, at least twice the capacity. */
  #places: Int32Array;
  #keys: Uint32Array;
  #older: Int32Array;
  #newer: Int32Array;
  /** Head of the slots that are free, linked by `newer`. */
  #free = -1;
  #slots = 0;
  #oldest = -1;
  #newest = -1;

  constructor(capacity: number) {
    this.capacity = capacity;
    const first = Math.min(capacity, 1024);
    this.#places = new Int32Array(2 ** Math.ceil(Math.log2(2 * first))).fill(-1);
    this.#keys = new Uint32Array(first);
    this.#older = new Int32Array(first);
    this.#newer = new Int32Array(first);
  }

  get size(): number {
    return this.#size;
  }

  get isFull(): boolean {
    return this.#size === this.capacity;
  }

  /** Slot of a key, which does not count as a use; -1 where there is none. */
  find(key: number): number {
    return this.#places[this.#placeOf(key)]!;
  }

  keyOf(slot: number): number {
    return this.#keys[slot]!;
  }

  /** The slot not used for longest; -1 when there is none. */
  get oldest(): number {
    return this.#oldest;
  }

  /** The next younger slot; -1 behind the youngest. */
  after(slot: number): number {
    return this.#newer[slot]!;
  }

  /** The slot was used. */
  touch(slot: number): void {
    if (slot === this.#newest) return;
    this.#unlink(slot);
    this.#append(slot);
  }

  /** A slot for a key that has none, in a table that is not full. */
  insert(key: number): number {
    let slot = this.#free;
    if (slot >= 0) this.#free = this.#newer[slot]!;
    else {
      if (this.#slots === this.#keys.length) this.#grow();
      slot = this.#slots++;
    }
    this.#keys[slot] = key;
    this.#places[this.#placeOf(key)] = slot;
    this.#append(slot);
    this.#size++;
    return slot;
  }

  remove(slot: number): void {
    this.#unhash(this.#placeOf(this.#keys[slot]!));
    this.#unlink(slot);
    this.#newer[slot] = this.#free;
    this.#free = slot;
    this.#size--;
  }

  /** Place of a key, or the free one where it would be. */
  #placeOf(key: number): number {
    const places = this.#places;
    const mask = places.length - 1;
    let place = Math.imul(key, 0x9e3779b1) >>> 7;
    for (place &= mask; ; place = (place + 1) & mask) {
      const slot = places[place]!;
      if (slot < 0 || this.#keys[slot] === key) return place;
    }
  }

  /** Frees a place; what came behind it because it was taken moves up. */
  #unhash(place: number): void {
    const places = this.#places;
    const mask = places.length - 1;
    places[place] = -1;
    for (let next = (place + 1) & mask; places[next]! >= 0; next = (next + 1) & mask) {
      const slot = places[next]!;
      places[next] = -1;
      places[this.#placeOf(this.#keys[slot]!)] = slot;
    }
  }

  #append(slot: number): void {
    this.#older[slot] = this.#newest;
    this.#newer[slot] = -1;
    if (this.#newest < 0) this.#oldest = slot;
    else this.#newer[this.#newest] = slot;
    this.#newest = slot;
  }

  #unlink(slot: number): void {
    const older = this.#older[slot]!;
    const newer = this.#newer[slot]!;
    if (older < 0) this.#oldest = newer;
    else this.#newer[older] = newer;
    if (newer < 0) this.#newest = older;
    else this.#older[newer] = older;
  }

  #grow(): void {
    const length = Math.min(this.capacity, 2 * this.#keys.length);
    const keys = new Uint32Array(length);
    keys.set(this.#keys);
    this.#keys = keys;
    this.#older = grown(this.#older, length);
    this.#newer = grown(this.#newer, length);
    this.#places = new Int32Array(2 ** Math.ceil(Math.log2(2 * length))).fill(-1);
    for (let slot = this.#oldest; slot >= 0; slot = this.#newer[slot]!)
      this.#places[this.#placeOf(this.#keys[slot]!)] = slot;
  }
}

function grown(array: Int32Array, length: number): Int32Array {
  const larger = new Int32Array(length);
  larger.set(array);
  return larger;
}
