import type { Step } from '../api/types';
import { text } from '../texts';
import css from './Segments.module.css';

/** Progress, one segment a series, coloured by state; all came to an end and to nothing when kept back. */
export function Segments({ steps, keptBack = false }: { steps: Step[]; keptBack?: boolean }) {
  const count = (...states: Step[]) => steps.filter((step) => states.includes(step)).length;
  const label = text.card.progress(
    count('succeeded'),
    count('running', 'queued', 'receiving'),
    count('failed'),
    count('held'),
    steps.length,
  );
  return (
    <div className={css.bar} role="img" aria-label={label} data-kept-back={keptBack}>
      {steps.map((step, index) => (
        // Segments have no identity but their place.
        // biome-ignore lint/suspicious/noArrayIndexKey: the place is the identity
        <i key={index} data-step={step} />
      ))}
    </div>
  );
}
