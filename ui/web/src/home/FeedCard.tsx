import { Link } from '@tanstack/react-router';
import { type KeyboardEvent, memo, type PointerEvent, useRef, useState } from 'react';
import { usePeople } from '../api/queries';
import type { Card } from '../api/types';
import { countsOf, isKeptBack, toneOf } from '../domain/cards';
import { sexAndAge } from '../domain/format';
import { useLive } from '../live/store';
import { Avatar } from '../parts/Avatar';
import { Meta } from '../parts/Meta';
import { Segments } from '../parts/Segments';
import { Status } from '../parts/Status';
import { Time } from '../parts/Time';
import { text } from '../texts';
import css from './FeedCard.module.css';
import { Mosaic } from './Mosaic';
import { Reasons } from './Reasons';
import { tellSteps, tellWhole } from './words';

/** People shown on a card. */
const MAX_PEOPLE = 3;
/** How far one key press scrubs. */
const KEY_STEP = 1 / 24;

/** A feed on the home page. */
export const FeedCard = memo(function FeedCard({ card }: { card: Card }) {
  const counts = useLive((state) => state.counts);
  const { stored, anonymized } = countsOf(card, counts);
  const { area, scrub, handlers, onKeyDown, onBlur } = useScrub();
  return (
    <li
      {...handlers}
      className={css.card}
      data-feed={card.feed}
      data-state={card.state}
      data-stored={stored}
      data-anonymized={anonymized}
      data-comments={card.comments}
    >
      <Mosaic card={card} stored={stored} anonymized={anonymized} scrub={scrub} area={area} />
      <div className={css.body}>
        <div className={css.head}>
          <h2 className={css.title}>
            <Link
              to="/feeds/$feed"
              params={{ feed: card.feed }}
              className={css.link}
              onKeyDown={onKeyDown}
              onBlur={onBlur}
            >
              {card.title}
            </Link>
          </h2>
          <Status tone={toneOf(card.state)}>{text.card.states[card.state]}</Status>
        </div>
        <Meta
          items={[
            card.modalities.join(', '),
            sexAndAge(card.attributes.patient_sex, card.attributes.patient_age),
            ...tellSteps(card, stored, anonymized),
          ]}
        />
        <Segments steps={card.steps} keptBack={isKeptBack(card)} />
        <Reasons card={card} />
        {tellWhole(card).map((line) => (
          <p key={line} className={css.whole} data-whole={card.partial ?? 0}>
            {line}
          </p>
        ))}
        <div className={css.foot}>
          <Meta
            items={[
              card.comments > 0 && text.card.comments(card.comments),
              <Time key="time" iso={card.updated} />,
            ]}
          />
          <People people={card.people} />
        </div>
      </div>
    </li>
  );
});

function People({ people }: { people: string[] }) {
  const names = usePeople();
  if (!people.length) return null;
  const shown = people.slice(0, MAX_PEOPLE);
  const name = (id: string) => names[id] ?? text.people.someone;
  return (
    <span className={css.people} role="img" aria-label={text.card.people(people.map(name).join(', '))}>
      {shown.map((id) => (
        <Avatar key={id} id={id} name={name(id)} size={22} />
      ))}
    </span>
  );
}

/** Scrub through the key slice with the pointer's place, or with the arrow keys while the card has focus. */
function useScrub() {
  const area = useRef<HTMLDivElement>(null);
  const [scrub, setScrub] = useState<number | null>(null);
  const onPointerMove = (event: PointerEvent) => {
    const box = area.current?.getBoundingClientRect();
    if (!box || event.pointerType === 'touch') return;
    const inside = event.clientX < box.right && event.clientY < box.bottom;
    setScrub(inside ? Math.max(0, (event.clientX - box.left) / box.width) : null);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const by = event.key === 'ArrowRight' ? KEY_STEP : event.key === 'ArrowLeft' ? -KEY_STEP : 0;
    if (!by || !area.current) return;
    event.preventDefault();
    setScrub((before) => Math.min(0.999, Math.max(0, (before ?? 0.5) + by)));
  };
  return {
    area,
    scrub,
    handlers: { onPointerMove, onPointerLeave: () => setScrub(null) },
    onKeyDown,
    onBlur: () => setScrub(null),
  };
}
