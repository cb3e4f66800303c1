import type { ReactNode } from 'react';
import { fileUrl } from '../api/client';
import type { SeriesView } from '../api/types';
import { text } from '../texts';
import css from './ViewerPanel.module.css';

const ROLES = ['key_slice', 'render', 'mip'] as const;

interface Props {
  feed: string;
  series: SeriesView;
  /** Why there is no viewer. */
  children: string;
  action?: ReactNode;
}

/** The pictures of a series where the viewer can't be. */
export function Pictures({ feed, series, children, action }: Props) {
  const pictures = ROLES.flatMap((role) => {
    const found = series.run?.artefacts.find((one) => one.role === role);
    return found ? [{ role, sha256: found.blob.sha256 }] : [];
  });
  return (
    <section className={css.panel} aria-label={text.viewer.title} data-phase="pictures">
      {pictures.length > 0 && (
        <div className={css.pictures}>
          {pictures.map(({ role, sha256 }) => (
            <img key={role} src={fileUrl(feed, sha256)} alt={text.viewer.pictures[role]} />
          ))}
        </div>
      )}
      <div className={css.why} data-alone={pictures.length === 0}>
        <p>{children}</p>
        {action}
      </div>
    </section>
  );
}
