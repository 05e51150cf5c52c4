import { effect, signal } from '@preact/signals';
import { Icon } from '../ui/icon.js';

const themes = ['system', 'light', 'dark'] as const;
type Theme = (typeof themes)[number];

const kept = localStorage.getItem('theme');
/** As the system has it, unless a person says otherwise; kept by the browser. */
const theme = signal<Theme>(themes.find((each) => each === kept) ?? 'system');

effect(() => {
  if (theme.value === 'system') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme.value;
  localStorage.setItem('theme', theme.value);
});

export function ThemeButton() {
  const next = themes[(themes.indexOf(theme.value) + 1) % themes.length] ?? 'system';
  return (
    <button
      type="button"
      class="icon-button"
      aria-label={`Colours: ${theme.value}. Change to ${next}.`}
      title={`Colours: ${theme.value}`}
      onClick={() => {
        theme.value = next;
      }}
    >
      <Icon name={theme.value} />
    </button>
  );
}
