/**
 * A page that shows what there is: the project, how its pictures are read, and the first of them. It stands here until the
 * page of `studio/web` is served, and needs no bundler.
 */

const html = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Quarterturn</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/page.css">
<header><h1 id="name">Quarterturn</h1><p id="status" role="status">Connecting …</p></header>
<main>
  <form id="open" hidden>
    <label for="path">Folder of pictures</label>
    <input id="path" name="path" autocomplete="off" spellcheck="false">
    <button>Open</button>
    <button type="button" id="mnist">Open the MNIST example</button>
  </form>
  <div id="reading" hidden>
    <progress id="bar" aria-label="Pictures read"></progress>
    <button type="button" id="stop">Stop</button>
  </div>
  <ul id="aside" aria-label="Set aside"></ul>
  <ul id="grid" aria-label="Images"></ul>
</main>
<script type="module" src="/page.js"></script>
</html>
`;

const css = `:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; }
body { margin: 0 auto; max-width: 75rem; padding: 1rem; }
h1 { font-size: 1.5rem; margin: 0; }
[hidden] { display: none; }
#grid { display: flex; flex-wrap: wrap; gap: .25rem; list-style: none; padding: 0; }
#grid img { display: block; width: 4rem; height: 4rem; object-fit: contain; image-rendering: pixelated; }
#path { width: 24rem; max-width: 100%; }
`;

const script = `const element = (id) => document.getElementById(id);
const show = (id, isShown) => { element(id).hidden = !isShown; };

// The token is in the fragment of the address, which is sent nowhere. From there it goes into this tab alone.
const given = new URLSearchParams(location.hash.slice(1)).get('token');
if (given) {
  sessionStorage.setItem('token', given);
  history.replaceState(null, '', '/');
}
const token = sessionStorage.getItem('token') ?? '';

async function ask(path, body) {
  const headers = { 'x-quarterturn-token': token };
  if (body) headers['content-type'] = 'application/json';
  const answer = await fetch(path, { headers, ...(body && { method: 'POST', body: JSON.stringify(body) }) });
  const value = await answer.json();
  if (!answer.ok) throw new Error([value.error.message, value.error.hint].filter(Boolean).join(' '));
  return value;
}

const say = (text) => { element('status').textContent = text; };
const number = (value) => value.toLocaleString('en');
const orSay = (work) => work.catch((error) => say(error.message));

let state = {};
let viewKey = '';
let shown;

function statusOf(pile) {
  switch (pile.phase) {
    case 'none': return 'No pictures are open.';
    case 'finding': return 'Looking for pictures …';
    case 'reading': {
      const eta = pile.etaMs === undefined ? '' : ', ' + Math.ceil(pile.etaMs / 1000) + ' s left';
      return number(pile.done) + ' of ' + number(pile.total) + ' pictures read, '
        + number(Math.round(pile.imagesPerSecond)) + ' a second' + eta + ', ' + number(pile.setAside) + ' set aside';
    }
    case 'ready': return number(pile.count) + ' images, ' + number(pile.setAside) + ' files set aside, '
      + number(pile.duplicates) + ' pictures that come more than once';
    case 'stopped': return 'Stopped. What was read is kept.';
    case 'failed': return [pile.error.message, pile.error.hint].filter(Boolean).join(' ');
  }
}

function item(...children) {
  const li = document.createElement('li');
  li.append(...children);
  return li;
}

async function showImages() {
  const { images } = await ask('/api/images?count=200');
  element('grid').replaceChildren(...images.map(({ id, name }) => {
    const img = new Image();
    img.src = '/api/images/' + id + '?key=' + viewKey;
    img.alt = name;
    img.loading = 'lazy';
    return item(img);
  }));
}

function render() {
  const { project, pile } = state;
  element('name').textContent = project?.name ?? 'Quarterturn';
  document.title = project ? project.name + ' – Quarterturn' : 'Quarterturn';
  say(statusOf(pile));
  const isBusy = pile.phase === 'finding' || pile.phase === 'reading';
  show('reading', isBusy);
  show('open', !isBusy);
  const bar = element('bar');
  if (pile.phase === 'reading') { bar.max = pile.total; bar.value = pile.done; }
  else bar.removeAttribute('value');
  const kinds = pile.phase === 'ready' ? pile.setAsideKinds : [];
  element('aside').replaceChildren(...kinds.map(({ reason, count, names }) =>
    item(number(count) + ' × ' + reason + ': ' + names.join(', '))));
  const toShow = pile.phase === 'ready' ? pile : undefined;
  if (toShow !== shown) {
    shown = toShow;
    if (toShow) orSay(showImages());
    else element('grid').replaceChildren();
  }
}

element('open').addEventListener('submit', (event) => {
  event.preventDefault();
  orSay(ask('/api/pile', { path: element('path').value }));
});
element('mnist').addEventListener('click', () => orSay(ask('/api/pile', { example: 'mnist' })));
element('stop').addEventListener('click', () => orSay(ask('/api/pile/stop', {})));

// A browser has six connections for all tabs of a site: a tab that nobody sees gives its one back, and goes on where it was.
let events;
let seen = '';
function listen() {
  events?.close();
  events = undefined;
  if (document.hidden) return;
  events = new EventSource('/api/events?key=' + viewKey + (seen && '&after=' + seen));
  const on = (kind, take) => events.addEventListener(kind, (event) => {
    seen = event.lastEventId;
    take(JSON.parse(event.data));
    render();
  });
  on('snapshot', (data) => { state = data.state; });
  on('deltas', (data) => {
    for (const { type, ...change } of data.deltas) state = { ...state, ...change };
  });
  events.onerror = () => say('The studio does not answer. Is the command still running?');
}

orSay(ask('/api/session').then((session) => {
  viewKey = session.viewKey;
  document.addEventListener('visibilitychange', listen);
  listen();
}));
`;

interface PageFile {
  readonly type: string;
  readonly text: string;
}

/** By their addresses. */
export const page: Readonly<Record<string, PageFile>> = {
  '/': { type: 'text/html; charset=utf-8', text: html },
  '/page.css': { type: 'text/css; charset=utf-8', text: css },
  '/page.js': { type: 'text/javascript; charset=utf-8', text: script },
};
