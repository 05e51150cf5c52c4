import { formatDuration } from '../src/report/format.js';

/** Tells on stderr what runs and when all will be done. A job is one program run; jobs of one kind take alike. */
export class Progress {
  readonly #remaining: string[];
  readonly #total: number;
  /** Of the last job of each kind. */
  readonly #durationsMs = new Map<string, number>();
  #job: { readonly kind: string; readonly startedAt: number } | undefined;

  /** @param kinds of all jobs, in their order */
  constructor(kinds: readonly string[]) {
    this.#remaining = [...kinds];
    this.#total = kinds.length;
  }

  begin(kind: string): void {
    const number = this.#total - this.#remaining.length + 1;
    this.#job = { kind, startedAt: performance.now() };
    this.note(`[${number}/${this.#total}] ${kind}${this.#eta()}`);
  }

  /** The job that has begun last is done. */
  end(): void {
    const { kind, startedAt } = this.#job!;
    this.#durationsMs.set(kind, performance.now() - startedAt);
    this.skip(kind);
  }

  /** A job will not run. */
  skip(kind: string): void {
    const at = this.#remaining.indexOf(kind);
    if (at >= 0) this.#remaining.splice(at, 1);
  }

  note(text: string): void {
    process.stderr.write(`bench: ${text}\n`);
  }

  /** What has not run yet is taken for as long as the average of what has. */
  #eta(): string {
    const known = [...this.#durationsMs.values()];
    if (known.length === 0) return '';
    const average = known.reduce((a, b) => a + b, 0) / known.length;
    const ms = this.#remaining.reduce((sum, kind) => sum + (this.#durationsMs.get(kind) ?? average), 0);
    return `   ETA ${formatDuration(ms)}`;
  }
}
