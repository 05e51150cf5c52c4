import fc from 'fast-check';
import { expect, test } from 'vitest';
import { html, trusted } from './html.js';

test('text is escaped, HTML is kept, lists are joined, nothing is left out', () => {
  const items = ['a', '<b>'].map((text) => html`<li title="${text}">${text}</li>`);
  expect(html`<ul>${items}${null}${false}${undefined}${0}</ul>`.text).toBe(
    '<ul><li title="a">a</li><li title="&lt;b&gt;">&lt;b&gt;</li>0</ul>',
  );
  expect(html`${trusted('<hr>')}${'&"\''}`.text).toBe('<hr>&amp;&quot;&#39;');
});

test('no text can leave its element or its attribute', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      expect(html`${text}`.text).not.toMatch(/[<>"']|&(?!\w+;|#)/);
    }),
  );
});
