import { type EventMaker, type JournalUpdate, redoLast, undoLast } from '../project/journal.node.js';
import type { LabelEvent } from '../project/label-events.js';
import type { LabelState } from '../project/label-state.js';
import type { Effect } from '../project/label-swap.js';
import { errorAnswer, Refusal } from './api-error.js';
import { EventHub } from './event-hub.js';
import { Explore } from './explore/explore.node.js';
import type { Inquire } from './explore/inquiry.js';
import { imagesOfPile, labelAsFound, sourceAsRead } from './images-of-pile.node.js';
import { LabelledPile } from './labelled-pile.js';
import {
  absolutePath,
  type FindProject,
  type FoundProject,
  type ServedProject,
} from './open-project.node.js';
import type { AddedPicture, OpenPile, Pile, PileSource } from './pile.js';
import { type LabelsNow, labelsNow } from './runs/run-labels.js';
import type { RunDelta } from './runs/run-updates.js';
import { Runs } from './runs/runs.node.js';
import type { StartTraining } from './runs/trainer.js';
import type { PileState, ProjectFacts, StudioDelta, StudioState } from './updates.js';

export interface StudioOptions {
  readonly findProject: FindProject;
  readonly openPile: OpenPile;
  readonly startTraining: StartTraining;
  readonly inquire: Inquire;
  /** Told of what nobody foresaw; the studio goes on. */
  readonly onFault?: ((error: unknown) => void) | undefined;
}

/** Images of one message; of more, a page asks for what it shows. */
const mostRelabelled = 500;

/** A pile that is lost again so soon would be lost for ever: then it is told as failed. */
const leastLifeMs = 30_000;

const nothingOpen = {
  pile: { phase: 'none' },
  labels: null,
  training: null,
  runs: 0,
  looks: 0,
  finding: null,
} as const;

/** The images of a project that is open, once they are read. */
interface OpenPileOfProject {
  readonly pile: Pile;
  readonly labelled: LabelledPile;
}

/**
 * What all tabs look at: at most one project, its images and their labels. Every change is told to the hub, whoever made it.
 *
 * @example
 * await using studio = new Studio({ findProject: projectsOnDisk(), openPile: pilesInProcesses() });
 * await studio.open({ path: 'photos' });
 */
export class Studio implements AsyncDisposable {
  readonly hub: EventHub<StudioState, StudioDelta>;
  readonly #options: StudioOptions;
  #state: StudioState = { ...nothingOpen, project: null };
  #project: ServedProject | undefined;
  #runs: Runs | undefined;
  #explore: Explore | undefined;
  #open: OpenPileOfProject | undefined;
  #stopListening = (): void => {};
  #isOpening = false;
  #reading: { readonly controller: AbortController; readonly done: Promise<void> } | undefined;
  #address: string | undefined;

  constructor(options: StudioOptions) {
    this.#options = options;
    this.hub = new EventHub({ snapshot: () => this.#state });
  }

  get state(): StudioState {
    return this.#state;
  }

  /** @throws Refusal `conflict` while there is none */
  get pile(): Pile {
    return this.#opened.pile;
  }

  /** @throws Refusal `conflict` while there is no pile */
  get labelled(): LabelledPile {
    return this.#opened.labelled;
  }

  /** @throws Refusal `conflict` while none is open */
  get project(): ServedProject {
    if (this.#project !== undefined) return this.#project;
    throw new Refusal('conflict', 'project: expected an open one. Received: none.');
  }

  /** @throws Refusal `conflict` while no project is open */
  get runs(): Runs {
    if (this.#runs !== undefined) return this.#runs;
    throw new Refusal('conflict', 'runs: expected an open project. Received: none.');
  }

  /** @throws Refusal `conflict` while no project is open */
  get explore(): Explore {
    if (this.#explore !== undefined) return this.#explore;
    throw new Refusal('conflict', 'pictures: expected an open project. Received: none.');
  }

  /** Where it is served, with the key, for the message to a second studio on the same project. */
  async setAddress(address: string): Promise<void> {
    this.#address = address;
    await this.#project?.setAddress(address);
  }

  /**
   * Open a project in place of the one before, and begin to read its pictures; how that goes, {@link Studio.hub} tells. One that is not
   * there yet is made when its pictures are read.
   * @throws Refusal `conflict` while pictures are being read, `busy` while another project trains; ProjectInUse, QuarterturnError as `Project.open`: then the
   *   project before stays
   */
  async open(source: PileSource): Promise<void> {
    if (this.#isOpening || this.#reading !== undefined) {
      throw new Refusal('conflict', 'pictures: expected one folder at a time. Received: another one.', {
        hint: 'Stop the one that is being read first.',
      });
    }
    // The same project once more is read once more; nobody else takes it meanwhile.
    const isSame = 'path' in source && absolutePath(source.path) === this.#state.project?.path;
    if (!isSame && this.#runs?.isBusy) {
      throw new Refusal('busy', 'project: expected the one that trains. Received: another one.', {
        hint: 'Stop the training first: it is saved, and can be gone on with.',
      });
    }
    this.#isOpening = true;
    try {
      const project = isSame && this.#project ? this.#project : await this.#find(source);
      this.#begin(project);
    } finally {
      this.#isOpening = false;
    }
  }

  /** Read the pictures of the project that is open once more, as after one was added; what is known of the others is kept. */
  async readAnew(): Promise<void> {
    if (this.#reading === undefined) await this.open(this.project.data);
    await this.#reading?.done;
  }

  /** How the pictures stand once none are being read. */
  async settled(): Promise<PileState> {
    await this.#reading?.done;
    return this.#state.pile;
  }

  /**
   * Take a picture into the pile that lies in its folder by now, without reading the others.
   * @throws Refusal `conflict` while there is no pile; QuarterturnError as `Pile.add`
   */
  async addPicture(name: string): Promise<AddedPicture> {
    const { pile } = this.#opened;
    const added = await pile.add(name);
    if (!added.isNew || this.#open?.pile !== pile) return added;
    await this.project.setImages(imagesOfPile(pile));
    this.#explore?.grow();
    this.#showPile(this.project, pile);
    return added;
  }

  /** Stop reading pictures. What was decoded is kept. */
  stop(): void {
    this.#reading?.controller.abort();
  }

  /**
   * Let something happen to the labels.
   * @returns the number of its event once that is on the disk; null where nothing was to be changed
   * @throws Refusal `not-found` for an image that is not here; QuarterturnError as `LabelJournal.append`
   */
  async label(event: LabelEvent): Promise<number | null> {
    this.labelled.assertOwn(event);
    return this.#append(event);
  }

  /** What an event would change, beforehand. */
  effectOf(event: LabelEvent): Effect {
    this.labelled.assertOwn(event);
    return this.#journal.state.effectOf(event);
  }

  /** Undo what was done last, by whomever; see {@link label}. */
  undo(): Promise<number | null> {
    return this.#append(undoLast);
  }

  /** Redo what was undone last; see {@link label}. */
  redo(): Promise<number | null> {
    return this.#append(redoLast);
  }

  async close(): Promise<void> {
    this.hub.close();
    this.stop();
    await this.#reading?.done;
    await this.#closeProject();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** In place of the project before, which is closed once it is clear that there is another one. */
  async #find(source: PileSource): Promise<ServedProject | FoundProject> {
    const found = await this.#options.findProject(
      'path' in source ? { path: absolutePath(source.path) } : source,
    );
    const project = found.isThere ? await found.open() : undefined;
    await this.#closeProject();
    return project === undefined ? found : this.#serve(project);
  }

  async #serve(project: ServedProject): Promise<ServedProject> {
    this.#project = project;
    this.#runs = this.#runsOf(project);
    this.#explore = this.#exploreOf(project, this.#runs);
    if (this.#address !== undefined) await project.setAddress(this.#address);
    return project;
  }

  get #opened(): OpenPileOfProject {
    if (this.#open !== undefined) return this.#open;
    throw new Refusal('conflict', `pictures: expected to be read. Received: ${this.#state.pile.phase}.`);
  }

  get #journal(): ServedProject['labels'] {
    return this.project.labels;
  }

  async #append(event: EventMaker): Promise<number | null> {
    return (await this.#journal.append(event))?.seq ?? null;
  }

  #begin(project: ServedProject | FoundProject): void {
    const controller = new AbortController();
    this.#reading = { controller, done: this.#read(project, controller.signal) };
  }

  /** Never rejects. */
  async #read(project: ServedProject | FoundProject, signal: AbortSignal): Promise<void> {
    const { data, name, folder } = project;
    this.#setProject({ name, folder, path: 'path' in data ? data.path : null });
    this.#setPile({ phase: 'finding' });
    try {
      await this.#closePile();
      const onProgress = (progress: PileState): void => this.#setPile(progress);
      const pile = await this.#options.openPile(data, { signal, onProgress });
      try {
        // Pictures lie there: now it is a project.
        await this.#takePile('labels' in project ? project : await this.#serve(await project.open()), pile);
      } catch (error) {
        await pile.close();
        throw error;
      }
    } catch (error) {
      const { body } = errorAnswer(error);
      if (body.error.code === 'internal' && !signal.aborted) this.#options.onFault?.(error);
      this.#setPile(signal.aborted ? { phase: 'stopped' } : { phase: 'failed', error: body.error });
    } finally {
      this.#reading = undefined;
    }
  }

  /** Bring images and labels together, and follow the labels from now on. */
  async #takePile(project: ServedProject, pile: Pile): Promise<void> {
    await project.setImages(imagesOfPile(pile));
    await labelAsFound(project, pile);
    this.#explore?.forget();
    this.#showPile(project, pile);
    const begunMs = performance.now();
    void pile.lost?.then((error) =>
      this.#readAnew(project, pile, { error, lifeMs: performance.now() - begunMs }),
    );
  }

  #showPile(project: ServedProject, pile: Pile): void {
    this.#stopListening();
    const labelled = new LabelledPile(pile.images, project.labels.state);
    this.#stopListening = project.labels.onChange((update) => this.#follow(project, labelled, update));
    this.#open = { pile, labelled };
    this.#setLabels();
    this.#setPile(pile.facts);
  }

  /** What reads pictures has ended, as by a picture that its decoder did not stand, or for want of memory. */
  async #readAnew(
    project: ServedProject,
    pile: Pile,
    { error, lifeMs }: { readonly error: Error; readonly lifeMs: number },
  ): Promise<void> {
    if (this.#open?.pile !== pile || this.#reading !== undefined || this.#isOpening) return;
    if (lifeMs >= leastLifeMs) {
      this.#begin(project);
      return;
    }
    await this.#closePile();
    this.#setPile({ phase: 'failed', error: errorAnswer(error).body.error });
  }

  #follow(project: ServedProject, labelled: LabelledPile, { lines, isNew }: JournalUpdate): void {
    if (isNew) labelled.replace(project.labels.state);
    const images = new Map(lines.flatMap(({ change }) => labelled.note(change)));
    this.#setLabels();
    const { seq } = project.labels.state;
    const isMany = isNew || images.size > mostRelabelled;
    if (isMany) this.hub.publish({ type: 'relabelled', seq, images: null });
    else if (images.size > 0) this.hub.publish({ type: 'relabelled', seq, images: [...images] });
  }

  async #closePile(): Promise<void> {
    this.#stopListening();
    this.#stopListening = () => {};
    const open = this.#open;
    this.#open = undefined;
    this.#setLabels();
    await open?.pile.close();
  }

  async #closeProject(): Promise<void> {
    await this.#closePile();
    const [project, runs, explore] = [this.#project, this.#runs, this.#explore];
    [this.#project, this.#runs, this.#explore] = [undefined, undefined, undefined];
    await Promise.all([runs?.close(), explore?.close()]);
    await project?.close();
  }

  #runsOf({ folder, data, labels }: ServedProject): Runs {
    return new Runs({
      ...{ folder, startTraining: this.#options.startTraining, onFault: this.#options.onFault },
      source: () => sourceAsRead(data, this.#state.pile),
      labels: () => this.#labelsNow(labels.state),
      tell: (delta) => this.#tellRuns(delta),
    });
  }

  #labelsNow(state: LabelState): LabelsNow {
    return labelsNow(state, this.#open?.labelled.labelledImages() ?? []);
  }

  #exploreOf({ folder, data, labels }: ServedProject, runs: Runs): Explore {
    return new Explore({
      ...{ folder, inquire: this.#options.inquire, onFault: this.#options.onFault },
      source: () => sourceAsRead(data, this.#state.pile),
      runs: () => runs.known(),
      pathOf: (id) => runs.pathOf(id),
      labelled: () => this.labelled,
      labels: () => this.#labelsNow(labels.state),
      onNews: () => this.#tellLooks(),
      onFinding: (finding) => {
        this.#state = { ...this.#state, finding };
        this.hub.publish({ type: 'finding', finding }, { key: 'finding' });
      },
    });
  }

  #tellLooks(): void {
    const revision = this.#state.looks + 1;
    this.#state = { ...this.#state, looks: revision };
    this.hub.publish({ type: 'looks', revision }, { key: 'looks' });
  }

  #tellRuns(delta: RunDelta): void {
    if (delta.type === 'runs') {
      this.#explore?.refresh();
      // One that has ended may be the newest now, which says other things of the pile.
      if (this.#state.training === null) this.#tellLooks();
    }
    if (delta.type === 'training') this.#state = { ...this.#state, training: delta.training };
    if (delta.type === 'runs') this.#state = { ...this.#state, runs: delta.revision };
    // Every point of a curve counts; of how far a training is, the newest word.
    this.hub.publish(delta, delta.type === 'curve' ? {} : { key: delta.type });
  }

  #setProject(project: ProjectFacts | null): void {
    this.#state = { ...this.#state, project };
    this.hub.publish({ type: 'project', project }, { key: 'project' });
  }

  #setPile(pile: PileState): void {
    this.#state = { ...this.#state, pile };
    this.hub.publish({ type: 'pile', pile }, { key: 'pile' });
  }

  #setLabels(): void {
    const labels = this.#open?.labelled.facts() ?? null;
    if (labels === null && this.#state.labels === null) return;
    this.#state = { ...this.#state, labels };
    this.hub.publish({ type: 'labels', labels }, { key: 'labels' });
  }
}
