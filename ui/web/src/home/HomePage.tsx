import { Button } from '@mantine/core';
import { getRouteApi } from '@tanstack/react-router';
import { ArrowUp, Plus } from 'lucide-react';
import { useEffect, useMemo, useRef, useState } from 'react';
import { answers, isBusy, passes } from '../domain/cards';
import { rememberSort, sortPreference } from '../live/preferences';
import { useCardsReading } from '../live/session';
import type { Sort } from '../live/state';
import { tell, useLive } from '../live/store';
import { Notice } from '../parts/Notice';
import { usePageTitle } from '../parts/usePageTitle';
import { text } from '../texts';
import { Activity } from './Activity';
import { EmptyHome } from './EmptyHome';
import { FeedCard } from './FeedCard';
import { Filters } from './Filters';
import css from './HomePage.module.css';
import { NewFeed } from './NewFeed';
import { Search } from './Search';
import { CardSkeletons } from './Skeletons';

const route = getRouteApi('/app/');

/** Every feed as a card, live. */
export function HomePage() {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const order = useLive((state) => state.order);
  const cards = useLive((state) => state.cards);
  const unseen = useLive((state) => state.unseen.length);
  const { failed, again, newest } = useCardsReading();
  const [sort, setSort] = useState<Sort>(sortPreference);
  const [modality, setModality] = useState<string | null>(null);
  const [creating, setCreating] = useState(false);
  const top = useRef<HTMLDivElement>(null);
  usePageTitle(text.home.page);
  useTopOfList(top, sort);

  const show = search.show ?? 'all';
  const query = search.q ?? '';
  const all = useMemo(() => (order ?? []).flatMap((feed) => cards[feed] ?? []), [order, cards]);
  const shown = useMemo(
    () =>
      all.filter(
        (card) => passes(card, show, modality) && answers(card, query, text.card.states[card.state]),
      ),
    [all, show, modality, query],
  );
  const change = (next: Partial<typeof search>) =>
    void navigate({ search: { ...search, ...next }, replace: true });
  const arrange = (next: Sort) => {
    rememberSort(next);
    setSort(next);
    tell({ kind: 'arrange', sort: next });
  };
  const reveal = () => {
    tell({ kind: 'arrange', sort });
    window.scrollTo({ top: 0 });
  };
  const busy = all.filter(isBusy).length;
  const look = all.filter((card) => passes(card, 'attention', null)).length;

  return (
    <div className={css.page}>
      <main className={css.main} id="main" tabIndex={-1}>
        <div ref={top} />
        <div className={css.head}>
          <div className={css.heading}>
            <h1 className={css.title}>{text.home.page}</h1>
            <p className={css.sub}>
              {order && all.length > 0 ? text.home.summary(all.length, busy, look) : '\u00a0'}
            </p>
          </div>
          <Search value={query} onChange={(q) => change({ q })} />
          <Button
            className={css.create ?? ''}
            leftSection={<Plus size={16} aria-hidden="true" />}
            onClick={() => setCreating(true)}
          >
            {text.home.newFeed}
          </Button>
        </div>
        {all.length > 0 && (
          <Filters
            cards={all}
            show={show}
            modality={modality}
            sort={sort}
            onShow={(next) => change({ show: next })}
            onModality={setModality}
            onSort={arrange}
          />
        )}
        {unseen > 0 && (
          <button type="button" className={css.updates} onClick={reveal}>
            <ArrowUp size={15} aria-hidden="true" />
            {text.home.updates(unseen)}
          </button>
        )}
        {order === null && failed && (
          <Notice action={text.errors.retry} onAction={again}>
            {text.home.loadFailed}
          </Notice>
        )}
        {order === null && !failed && <CardSkeletons />}
        {order !== null && all.length === 0 && <EmptyHome />}
        {all.length > 0 && (
          <ul className={css.grid} aria-label={text.home.cards}>
            {shown.map((card) => (
              <FeedCard key={card.feed} card={card} />
            ))}
          </ul>
        )}
        {newest !== null && <p className={css.newest}>{text.home.newest(newest)}</p>}
        {all.length > 0 && shown.length === 0 && (
          <div className={css.nothing} role="status">
            <p>{text.home.nothing}</p>
            <Button
              variant="default"
              onClick={() => {
                setModality(null);
                void navigate({ search: {}, replace: true });
              }}
            >
              {text.home.clearFilters}
            </Button>
          </div>
        )}
      </main>
      <Activity />
      <NewFeed opened={creating} onClose={() => setCreating(false)} />
    </div>
  );
}

/** New cards may appear while the reader is at the top of the list; they wait behind the pill otherwise. */
function useTopOfList(top: React.RefObject<HTMLDivElement | null>, sort: Sort): void {
  // Only on arrival: later changes of the order are asked for by `arrange`.
  const first = useRef(sort);
  useEffect(() => {
    tell({ kind: 'arrange', sort: first.current });
    return () => tell({ kind: 'top', atTop: true });
  }, []);
  useEffect(() => {
    if (!top.current) return undefined;
    const observer = new IntersectionObserver(([entry]) => {
      if (entry) tell({ kind: 'top', atTop: entry.isIntersecting });
    });
    observer.observe(top.current);
    return () => observer.disconnect();
  }, [top]);
}
