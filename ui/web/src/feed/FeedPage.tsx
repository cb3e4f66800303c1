import { getRouteApi } from '@tanstack/react-router';
import { Suspense, useMemo } from 'react';
import { ApiError } from '../api/client';
import type { SeriesView } from '../api/types';
import { useLive } from '../live/store';
import { Notice } from '../parts/Notice';
import { usePageTitle } from '../parts/usePageTitle';
import { text } from '../texts';
import { Timeline } from '../timeline/Timeline';
import { ViewerPanel } from '../viewer/ViewerPanel';
import css from './FeedPage.module.css';
import { Header } from './Header';
import { SeriesDetails } from './SeriesDetails';
import { SeriesList } from './SeriesList';
import { FeedSkeleton } from './Skeleton';
import { useFeed } from './useFeed';

const route = getRouteApi('/app/feeds/$feed');

/** A feed: its series, the viewer, the measures, and everything that happened. */
export function FeedPage() {
  const { feed } = route.useParams();
  return <FeedContent key={feed} feed={feed} />;
}

function FeedContent({ feed }: { feed: string }) {
  const { detail, error, again } = useFeed(feed);
  const { series: wanted } = route.useSearch();
  const navigate = route.useNavigate();
  const card = useLive((state) => state.cards[feed]);
  const series = useMemo(() => arranged(detail?.series ?? []), [detail?.series]);
  const chosen = series.find((one) => one.series === wanted) ?? series[0] ?? null;
  usePageTitle(detail?.card.title ?? text.app.feeds);

  if (!detail) {
    const missing = error instanceof ApiError && error.status === 404;
    return (
      <main className={css.main} id="main" tabIndex={-1}>
        {error ? (
          <Notice {...(missing ? {} : { action: text.errors.retry, onAction: again })}>
            {missing ? error.message : text.feed.loadFailed}
          </Notice>
        ) : (
          <FeedSkeleton />
        )}
      </main>
    );
  }
  return (
    <div className={css.page}>
      <main className={css.main} id="main" tabIndex={-1}>
        <Header feed={feed} detail={detail} card={card ?? detail.card} />
        {series.length === 0 ? (
          <section className={css.empty}>
            <h2>{text.feed.noSeries}</h2>
            <p>{text.feed.empty}</p>
          </section>
        ) : (
          <>
            <SeriesList
              feed={feed}
              series={series}
              chosen={chosen?.series ?? null}
              onChoose={(key) => void navigate({ search: { series: key }, replace: true })}
            />
            {chosen && (
              <>
                <Suspense fallback={null}>
                  <ViewerPanel key={`${chosen.series}.${volumeOf(chosen)}`} feed={feed} series={chosen} />
                </Suspense>
                <SeriesDetails series={chosen} />
              </>
            )}
          </>
        )}
      </main>
      <Timeline feed={feed} detail={detail} />
    </div>
  );
}

/** Those with something to look at first, the largest of them first. */
function arranged(series: SeriesView[]): SeriesView[] {
  const rank = (one: SeriesView) => (one.run?.outcome === 'measured' ? 0 : 1);
  return series.toSorted(
    (a, b) => rank(a) - rank(b) || b.anonymized - a.anonymized || (a.series < b.series ? -1 : 1),
  );
}

function volumeOf(series: SeriesView): string {
  return series.run?.artefacts.find((one) => one.role === 'volume')?.blob.sha256 ?? '';
}
