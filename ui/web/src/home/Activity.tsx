import { Link } from '@tanstack/react-router';
import { usePeople } from '../api/queries';
import { useLink } from '../live/socket';
import { useLive } from '../live/store';
import { Status } from '../parts/Status';
import { Time } from '../parts/Time';
import { text } from '../texts';
import { RowIcon } from '../timeline/RowIcon';
import { pluginsOf, tellRow } from '../timeline/words';
import css from './Activity.module.css';

/** Characters of a comment that are quoted here. */
const QUOTE = 180;

/** What happened last in the feeds that moved last. */
export function Activity() {
  const items = useLive((state) => state.activity);
  const cards = useLive((state) => state.cards);
  const status = useLink((link) => link.status);
  const people = usePeople();
  const plugins = pluginsOf(items.map((item) => item.row));
  return (
    <aside className={css.activity} aria-label={text.activity.title}>
      <h2>
        {text.activity.title}
        <Status tone={status === 'open' ? 'ok' : status === 'down' ? 'warn' : 'wait'}>
          {status === 'open' ? text.live.live : status === 'down' ? text.live.down : text.live.connecting}
        </Status>
      </h2>
      {items.length === 0 && <p className={css.empty}>{text.activity.empty}</p>}
      <ol>
        {items.map(({ feed, row }) => {
          const { who, what, quote } = tellRow(row, people, plugins);
          return (
            <li key={row.event} className={css.item}>
              <RowIcon row={row} name={who} />
              <div>
                <p>
                  {who && <b>{who} </b>}
                  {what}{' '}
                  <span className={css.where}>
                    {text.activity.in}{' '}
                    <Link to="/feeds/$feed" params={{ feed }}>
                      {cards[feed]?.title ?? text.activity.feed}
                    </Link>
                  </span>
                </p>
                {quote && (
                  <blockquote>
                    {quote.length > QUOTE ? `${quote.slice(0, QUOTE).trimEnd()}…` : quote}
                  </blockquote>
                )}
                <small>
                  <Time iso={row.time} />
                </small>
              </div>
            </li>
          );
        })}
      </ol>
    </aside>
  );
}
