import type { Step } from '../api/types';
import { text } from '../texts';
import css from './Segments.module.css';

/** Progress, one segment a series, coloured by state. */
export function Segments({ steps }: { steps: Step[] }) {
  const count = (...states: Step[]) => steps.filter((step) => states.includes(step)).length;
  const label = text.card.progress(
    count('succeeded'),
    count('running', 'queued', 'receiving'),
    count('failed'),
    steps.length,
  );
  return (
    <div className={css.bar} role="img" aria-label={label}>
      {steps.map((step, index) => (
        // Segments have no identity but their place.
        // biome-ignore lint/suspicious/noArrayIndexKey: the place is the identity
        <i key={index} data-step={step} />
      ))}
    </div>
  );
}
