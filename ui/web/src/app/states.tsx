import { Link } from '@tanstack/react-router';
import { text } from '../texts';
import css from './states.module.css';

/** While a part of the app is on its way. */
export function Waiting() {
  return (
    <p className={css.state} role="status">
      <span className="sr">{text.app.loading}</span>
    </p>
  );
}

/** An address without a page. */
export function Missing() {
  return (
    <main className={css.state}>
      <h1>{text.errors.notFound}</h1>
      <Link to="/" className={css.way}>
        {text.errors.toFeeds}
      </Link>
    </main>
  );
}

/** A page that threw. */
export function Crashed() {
  return (
    <main className={css.state} role="alert">
      <h1>{text.errors.crashed}</h1>
      <button type="button" className={css.way} onClick={() => window.location.reload()}>
        {text.errors.reload}
      </button>
    </main>
  );
}
