import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { PileFacts, PileProgress } from '../../../server/updates.js';
import { api } from '../../api/client.js';
import { addressOf } from '../../shell/router.js';
import { labels, pile, project } from '../../store/studio.js';
import { Icon } from '../../ui/icon.js';
import { toastError } from '../../ui/toast.js';
import { count, counted, duration } from '../../ui/words.js';
import { Duplicates, SetAside } from './import-lists.js';

/** How the pictures of the project are read, and what came of it. */
export function ImportStatus() {
  return (
    <section class="card import" aria-label="Pictures of the project">
      <div class="import-head">
        <Icon name="folder" />
        <div>
          <h1>{project.value?.name}</h1>
          <p class="quiet-text small path">
            {project.value?.path ?? 'The example that comes with Quarterturn'}
          </p>
        </div>
      </div>
      <Phase />
    </section>
  );
}

function Phase() {
  const now = pile.value;
  switch (now.phase) {
    case 'none':
      return null;
    case 'finding':
      return (
        <Running text="Looking for pictures …">
          <progress class="import-bar" aria-label="Pictures read" />
        </Running>
      );
    case 'reading':
      return (
        <Running text={<ReadingWords now={now} />}>
          <progress class="import-bar" aria-label="Pictures read" max={now.total} value={now.done} />
        </Running>
      );
    case 'ready':
      return <Ready facts={now} />;
    case 'stopped':
      return <p role="status">Stopped. What was read is kept, and the next time it goes on from there.</p>;
    case 'failed':
      return (
        <div class="problem" role="alert">
          <p>{now.error.message}</p>
          {now.error.hint && <p>{now.error.hint}</p>}
        </div>
      );
  }
}

function Running({
  text,
  children,
}: {
  readonly text: ComponentChildren;
  readonly children: ComponentChildren;
}) {
  return (
    <>
      {children}
      <div class="import-running">
        <p class="number">{text}</p>
        <button type="button" class="button" onClick={() => api.stopReading().catch(toastError)}>
          Stop
        </button>
      </div>
    </>
  );
}

function ReadingWords({ now }: { readonly now: PileProgress }) {
  const parts = [
    `${count(now.done)} of ${counted(now.total, 'picture')} read`,
    now.imagesPerSecond > 0 && `${count(Math.round(now.imagesPerSecond))} a second`,
    now.etaMs !== undefined && `${duration(now.etaMs)} left`,
    now.setAside > 0 && `${count(now.setAside)} set aside`,
  ];
  return <>{parts.filter(Boolean).join(' · ')}</>;
}

function Ready({ facts }: { readonly facts: PileFacts }) {
  // What teaches most is looked for while a person reads this.
  useEffect(() => {
    api.images({ queue: 'suggested', from: 0, count: 1 }).catch(() => {});
  }, []);
  const next = useRef<HTMLAnchorElement>(null);
  // What one came for, for who has no mouse.
  useEffect(() => {
    if (document.activeElement === document.body) next.current?.focus({ preventScroll: true });
  }, []);
  const isBegun = (labels.value?.labelled ?? 0) > 0;
  return (
    <>
      <dl class="figures">
        <Figure value={count(facts.count)} name={facts.count === 1 ? 'image' : 'images'} />
        <Figure
          value={`${facts.width} × ${facts.height}`}
          name={facts.channels === 1 ? 'pixels, grey, for the model' : 'pixels, in colour, for the model'}
        />
        <Figure value={count(facts.setAside)} name="set aside" />
        <Figure value={count(facts.duplicates)} name="pictures that lie there twice or more" />
        <Figure value={duration(facts.durationMs)} name="to read" />
      </dl>
      <ul class="quiet-text small">
        {facts.notes.map((note) => (
          <li key={note}>{note}</li>
        ))}
      </ul>
      <SetAside facts={facts} />
      <Duplicates facts={facts} />
      <div>
        <a ref={next} class="button primary" href={addressOf('label')}>
          {isBegun ? 'Go on labelling' : 'Start labelling'}
          <Icon name="right" />
        </a>
      </div>
    </>
  );
}

function Figure({ value, name }: { readonly value: string; readonly name: string }) {
  return (
    <div>
      <dd>{value}</dd>
      <dt>{name}</dt>
    </div>
  );
}
