import { type RefObject, useState } from 'react';
import { fileUrl } from '../api/client';
import type { Card } from '../api/types';
import { isKeptBack, pictureOf } from '../domain/cards';
import { text } from '../texts';
import css from './Mosaic.module.css';

/** Frames of a strip (`plugins/imaging/pictures.py` draws as many). */
const FRAMES = 24;
/** Height of the mosaic, px. */
const HEIGHT = 172;

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

/** Frames side by side in one picture, of which one is seen. It is fetched on the first scrub. */
function Strip({ url, scrub }: { url: string; scrub: number }) {
  // Width by height of one frame, known when the picture is there.
  const [aspect, setAspect] = useState<number | null>(null);
  const frame = Math.min(FRAMES - 1, Math.floor(scrub * FRAMES));
  return (
    <div className={css.strip} data-loaded={aspect !== null}>
      <div
        className={css.window}
        style={{ aspectRatio: aspect ?? 1, maxWidth: `${HEIGHT * (aspect ?? 1)}px` }}
      >
        <img
          src={url}
          alt=""
          draggable={false}
          onLoad={({ currentTarget: { naturalWidth, naturalHeight } }) =>
            setAspect(naturalWidth / FRAMES / naturalHeight)
          }
          style={{ width: `${FRAMES * 100}%`, transform: `translateX(${(-frame / FRAMES) * 100}%)` }}
        />
      </div>
      <i style={{ transform: `scaleX(${(frame + 1) / FRAMES})` }} />
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
          <span>{isKeptBack(card) ? text.card.keptBack(stored) : text.card.imagesWord(stored)}</span>
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
