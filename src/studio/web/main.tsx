import { render } from 'preact';
import { keepToken } from './api/client.js';
import { App } from './shell/app.js';
import { startRouter } from './shell/router.js';
import { connect } from './store/studio.js';

// The token comes in the fragment, where the router's addresses are from then on.
keepToken();
startRouter();
connect();
const root = document.getElementById('page');
if (root) render(<App />, root);
