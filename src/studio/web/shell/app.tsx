import { useSignal, useSignalEffect } from '@preact/signals';
import type { ComponentType } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { screens } from '../screens.js';
import { redo, undo } from '../store/labelling.js';
import { connection, labels, project, studio } from '../store/studio.js';
import { ClassFinder } from '../ui/class-finder.js';
import { isKeyHelpOpen, KeyHelp } from '../ui/key-help.js';
import { useKeys } from '../ui/keys.js';
import { LargePicture } from '../ui/large-picture.js';
import { Toasts } from '../ui/toast.js';
import { Header } from './header.js';
import { addressOf, navigate, route, type ScreenName, screenNames } from './router.js';

/** What stands on the screen: the header, one of the screens, and what is told in passing. */
export function App() {
  useKeys('Everywhere', [
    { key: 'mod+z', says: 'Undo', run: () => void undo() },
    { key: 'mod+shift+z', also: ['mod+y'], says: 'Redo', run: () => void redo() },
    {
      key: '?',
      says: 'Show the keys',
      run: () => {
        isKeyHelpOpen.value = true;
      },
    },
    ...screenNames.map((name) => ({
      key: `shift+${screens[name].key}`,
      says: screens[name].title,
      run: () => navigate(name),
    })),
  ]);
  useSignalEffect(() => {
    const { title } = screens[route.value.screen];
    document.title = `${title} – ${project.value?.name ?? 'Quarterturn'}`;
  });
  return (
    <>
      <button type="button" class="skip-link" onClick={() => document.getElementById('main')?.focus()}>
        Skip to the content
      </button>
      <Header />
      <main id="main" tabIndex={-1}>
        <Content />
      </main>
      <Toasts />
      <LargePicture />
      <ClassFinder />
      <KeyHelp />
    </>
  );
}

function Content() {
  const { phase } = connection.value;
  if (connection.value.phase === 'refused') {
    return (
      <div class="notice">
        <h1>This page has no key</h1>
        <p>{connection.value.text}</p>
      </div>
    );
  }
  if (studio.value === null) {
    const text =
      phase === 'lost' ? 'The studio does not answer. Is the command still running?' : 'Connecting …';
    return (
      <p class="notice" role="status">
        {text}
      </p>
    );
  }
  const { screen } = route.value;
  if (!screens[screen].isFree && labels.value === null) return <NoPictures />;
  return <Loaded name={screen} key={screen} />;
}

function NoPictures() {
  return (
    <div class="notice">
      <h1>There are no pictures yet</h1>
      <p>
        <a href={addressOf('start')}>Choose a folder of pictures first.</a>
      </p>
    </div>
  );
}

const known = new Map<ScreenName, ComponentType>();

/** A screen, once its code is there. The focus goes along, so that a screen reader says where one is. */
function Loaded({ name }: { readonly name: ScreenName }) {
  const Screen = useSignal(known.get(name) ? { component: known.get(name) } : null);
  const isFirst = useRef(true);
  useEffect(() => {
    if (Screen.value) return;
    void screens[name].load().then((module) => {
      known.set(name, module.Screen);
      Screen.value = { component: module.Screen };
    });
  }, [name]);
  useEffect(() => {
    if (!isFirst.current) return;
    isFirst.current = false;
    if (document.activeElement === document.body) document.getElementById('main')?.focus();
  }, []);
  const Component = Screen.value?.component;
  return Component ? <Component /> : null;
}
