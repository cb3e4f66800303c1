import { type RefObject, useState } from 'react';
import { fileUrl } from '../api/client';
import type { Card } from '../api/types';
import { pictureOf } from '../domain/cards';
import { text } from '../texts';
import css from './Mosaic.module.css';

interface Props {
  card: Card;
  stored: number;
  anonymized: number;
  /** How far through the strip the reader scrubs, 0 to 1; null when nobody does. */
  scrub: number | null;
  /** The area that is scrubbed through. */
  area: RefObject<HTMLDivElement | null>;
}

/** The pictures of a card, never cropped: a large key slice, a rendering, a projection. */
export function Mosaic({ card, stored, anonymized, scrub, area }: Props) {
  const key = pictureOf(card, 'key_slice');
  const side = [pictureOf(card, 'render'), pictureOf(card, 'mip')].filter((one) => one !== null);
  const strip = pictureOf(card, 'strip');
  if (!key) return <Filling card={card} stored={stored} anonymized={anonymized} />;
  return (
    <div className={css.mosaic} data-side={side.length}>
      <div className={css.key} ref={area}>
        <img
          src={fileUrl(card.feed, key.blob.sha256)}
          alt={text.card.keySlice(card.title)}
          loading="lazy"
          decoding="async"
          draggable={false}
        />
        {strip && scrub !== null && <Strip url={fileUrl(card.feed, strip.blob.sha256)} scrub={scrub} />}
      </div>
      {side.map((picture) => (
        <img
          key={picture.role}
          src={fileUrl(card.feed, picture.blob.sha256)}
          alt=""
          loading="lazy"
          decoding="async"
          draggable={false}
        />
      ))}
    </div>
  );
}

/** Square frames side by side in one picture, of which one is seen. It is fetched on the first scrub. */
function Strip({ url, scrub }: { url: string; scrub: number }) {
  const [frames, setFrames] = useState(0);
  const frame = Math.min(frames - 1, Math.floor(scrub * frames));
  return (
    <div className={css.strip} data-loaded={frames > 0}>
      <div className={css.window}>
        <img
          src={url}
          alt=""
          draggable={false}
          onLoad={({ currentTarget: { naturalWidth, naturalHeight } }) =>
            setFrames(Math.max(1, Math.round(naturalWidth / naturalHeight)))
          }
          style={
            frames ? { width: `${frames * 100}%`, transform: `translateX(${(-frame / frames) * 100}%)` } : {}
          }
        />
      </div>
      <i style={{ transform: `scaleX(${frames ? (frame + 1) / frames : 0})` }} />
    </div>
  );
}

/** What stands for the pictures until there are any: how far the images have come. */
function Filling({ card, stored, anonymized }: Pick<Props, 'card' | 'stored' | 'anonymized'>) {
  const receiving = card.state === 'receiving';
  return (
    <div className={css.filling}>
      {stored > 0 ? (
        <p className="tabular">
          <b>{stored.toLocaleString('en')}</b>
          <span>{text.card.imagesWord(stored)}</span>
        </p>
      ) : (
        <p>{text.card.noPicture}</p>
      )}
      {receiving && (
        <div className={css.fill} aria-hidden="true">
          <i style={{ transform: `scaleX(${stored ? anonymized / stored : 0})` }} />
        </div>
      )}
    </div>
  );
}
