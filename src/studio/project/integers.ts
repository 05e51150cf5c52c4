/** A list of whole numbers that grows at its end, without an object for each: 100,000 of them are one copy of memory. */
export class Integers {
  #data: Int32Array;
  #length: number;

  constructor(from: Int32Array = new Int32Array(0)) {
    this.#data = from.slice();
    this.#length = from.length;
  }

  get length(): number {
    return this.#length;
  }

  /** What it holds now; a view that a later push leaves behind. */
  get view(): Int32Array {
    return this.#data.subarray(0, this.#length);
  }

  /** The number at an index; 0 where there is none. */
  get(index: number): number {
    return (index < this.#length && this.#data[index]) || 0;
  }

  set(index: number, value: number): void {
    this.#data[index] = value;
  }

  push(value: number): void {
    this.#reserve(1);
    this.#data[this.#length++] = value;
  }

  pushAll(values: Int32Array): void {
    this.#reserve(values.length);
    this.#data.set(values, this.#length);
    this.#length += values.length;
  }

  /** Take away all from an index on; returns a copy of it. */
  cut(from: number): Int32Array {
    const taken = this.#data.slice(from, this.#length);
    this.#length = Math.min(this.#length, from);
    return taken;
  }

  #reserve(count: number): void {
    const needed = this.#length + count;
    if (needed <= this.#data.length) return;
    const larger = new Int32Array(Math.max(needed, 2 * this.#data.length, 16));
    larger.set(this.view);
    this.#data = larger;
  }
}
