import { useEffect } from 'react';
import { arranged } from '../domain/sources';
import { readSources, useSourcesReading } from '../live/session';
import { tell, useLive } from '../live/store';
import { Notice } from '../parts/Notice';
import { useNow } from '../parts/useNow';
import { usePageTitle } from '../parts/usePageTitle';
import { text } from '../texts';
import { NoSources } from './NoSources';
import { Source } from './Source';
import css from './SourcesPage.module.css';

/** Who sends: live, with what was refused and what is not complete. */
export function SourcesPage() {
  const sources = useLive((state) => state.sources);
  const read = useLive((state) => state.sourcesRead);
  const { failed, ahead } = useSourcesReading();
  const now = useNow() + ahead;
  usePageTitle(text.sources.page);

  useEffect(() => {
    tell({ kind: 'watch sources' });
    void readSources();
  }, []);

  const shown = arranged(sources);
  const hasFile = shown.some((one) => one.is_configured);
  const connected = shown.filter((one) => one.associations).length;
  return (
    <main className={css.main} id="main" tabIndex={-1}>
      <header className={css.head}>
        <h1>{text.sources.page}</h1>
        <p className="tabular">
          {read && shown.length ? text.sources.summary(shown.length, connected) : text.sources.lead}
        </p>
      </header>
      {failed && !read && (
        <Notice action={text.errors.retry} onAction={() => void readSources()}>
          {text.sources.loadFailed}
        </Notice>
      )}
      {read && !shown.some((one) => one.seen) && <NoSources />}
      {read && shown.length > 0 && (
        <ul className={css.list} data-sources={shown.length}>
          {shown.map((one) => (
            <Source key={one.source} source={one} now={now} hasFile={hasFile} />
          ))}
        </ul>
      )}
    </main>
  );
}
