import { text } from '../texts';
import css from './Skeleton.module.css';

/** The outline of a feed's page while it is on its way. */
export function FeedSkeleton() {
  return (
    <div role="status" className={css.skeleton}>
      <span className="sr">{text.app.loading}</span>
      <i className={css.title} />
      <i className={css.line} />
      <i className={css.viewer} />
    </div>
  );
}
