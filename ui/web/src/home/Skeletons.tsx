import { useEffect, useState } from 'react';
import { text } from '../texts';
import home from './HomePage.module.css';
import css from './Skeletons.module.css';

/** A list that is there sooner than this shows no skeleton, ms. */
const PATIENCE_MS = 150;
const CARDS = ['a', 'b', 'c', 'd', 'e', 'f'];

/** Cards of exactly the size of cards, while the first list is on its way. */
export function CardSkeletons() {
  const [late, setLate] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLate(true), PATIENCE_MS);
    return () => clearTimeout(timer);
  }, []);
  if (!late) return null;
  return (
    <div role="status">
      <span className="sr">{text.app.loading}</span>
      <div className={home.grid} aria-hidden="true">
        {CARDS.map((card) => (
          <div key={card} className={css.card}>
            <div className={css.picture} />
            <div className={css.lines}>
              <i />
              <i />
              <i />
              <i />
            </div>
          </div>
        ))}
      </div>
    </div>
  );
}
