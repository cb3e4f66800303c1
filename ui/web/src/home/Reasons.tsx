import { Popover, UnstyledButton } from '@mantine/core';
import type { Card } from '../api/types';
import { text } from '../texts';
import css from './Reasons.module.css';
import { tellQuarantine } from './words';

/** Why images are in quarantine: the most frequent reason, and all of them on a click, a tap or a key. */
export function Reasons({ card }: { card: Card }) {
  const told = tellQuarantine(card);
  if (!told) return null;
  if (!told.all.length) return <p className={css.line}>{told.first}</p>;
  return (
    <Popover position="bottom-start" width={300} shadow="none" withinPortal trapFocus returnFocus>
      <Popover.Target>
        <UnstyledButton className={css.button ?? ''} data-reasons={told.all.length}>
          <span className={css.first}>{told.first}</span>
          {told.more > 0 && <span className={css.more}>{text.card.reasonsMore(told.more)}</span>}
        </UnstyledButton>
      </Popover.Target>
      <Popover.Dropdown>
        {/* The focus goes to what is read, for there is nothing to press. */}
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: scrolled and read by keyboard */}
        <div className={css.all} tabIndex={0} data-autofocus>
          <h3>{text.card.reasonsTitle}</h3>
          <ul>
            {told.all.map((one) => (
              <li key={one.reason} data-reason={one.reason}>
                <span>{one.words}</span>
                <b>{one.images.toLocaleString('en')}</b>
              </li>
            ))}
          </ul>
        </div>
      </Popover.Dropdown>
    </Popover>
  );
}
