import css from './Status.module.css';

export type Tone = 'ok' | 'run' | 'wait' | 'warn' | 'error';

/** A state as a word with a dot whose shape differs too, so that colour is never alone. */
export function Status({ tone, children }: { tone: Tone; children: string }) {
  return (
    <span className={css.status} data-tone={tone}>
      <svg className={css.dot} viewBox="0 0 8 8" aria-hidden="true" focusable="false">
        {tone === 'warn' ? (
          <path d="M4 .6 7.7 7.200H.3z" />
        ) : tone === 'error' ? (
          <rect x=".7" y=".7" width="6.6" height="6.6" rx="1" />
        ) : tone === 'wait' ? (
          <circle cx="4" cy="4" r="2.9" fill="none" stroke="currentColor" strokeWidth="1.5" />
        ) : (
          <circle cx="4" cy="4" r="3.6" />
        )}
      </svg>
      {children}
    </span>
  );
}
