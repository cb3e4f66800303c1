import type { RefusalCount } from '../api/types';
import { refusalText } from '../domain/sources';
import { Time } from '../parts/Time';
import { text } from '../texts';
import css from './Source.module.css';

/** What was refused, why, and what to do about it. */
export function Refused({ refused }: { refused: { refusal: RefusalCount; times: number }[] }) {
  const words = text.sources;
  return (
    <details className={css.more} data-refused={refused.length}>
      <summary>{words.refusalsTitle}</summary>
      <ul>
        {refused.map(({ refusal, times }) => {
          const [why, action] = refusalText(refusal);
          return (
            <li key={`${refusal.kind} ${refusal.reason}`} data-reason={refusal.reason}>
              <p>
                <b>{why}</b> {action}
              </p>
              <p className={css.about}>
                {words.kinds[refusal.kind]}, {words.times(times)}, <Time iso={refusal.last} />
              </p>
            </li>
          );
        })}
      </ul>
    </details>
  );
}
