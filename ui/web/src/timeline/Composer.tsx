import { Button, Textarea } from '@mantine/core';
import { type FormEvent, type KeyboardEvent, useState } from 'react';
import { uuid7 } from '../domain/uuid';
import { issue } from '../live/commands';
import { text } from '../texts';
import css from './Timeline.module.css';

/** Characters of a comment. */
export const MAX_COMMENT = 8000;

const draftKey = (feed: string) => `chips.draft.${feed}`;

/** Where a comment is written. What is not sent yet survives a reload of the tab. */
export function Composer({ feed }: { feed: string }) {
  const [draft, setDraft] = useState(() => window.sessionStorage.getItem(draftKey(feed)) ?? '');
  const keep = (words: string) => {
    setDraft(words);
    if (words) window.sessionStorage.setItem(draftKey(feed), words);
    else window.sessionStorage.removeItem(draftKey(feed));
  };
  const words = draft.trim();
  const excess = words.length - MAX_COMMENT;
  const send = (event: FormEvent | KeyboardEvent) => {
    event.preventDefault();
    if (!words || excess > 0) return;
    keep('');
    void issue(feed, { type: 'post_comment', body: { comment: uuid7(), text: words } });
  };
  return (
    <form className={css.composer} onSubmit={send}>
      <Textarea
        aria-label={text.timeline.comment}
        placeholder={text.timeline.placeholder}
        value={draft}
        onChange={(event) => keep(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) send(event);
        }}
        error={excess > 0 ? text.timeline.tooLong(excess) : null}
        rows={2}
      />
      <div className={css.composerFoot}>
        <small>{text.timeline.sendHint}</small>
        <Button type="submit" size="xs" disabled={!words || excess > 0}>
          {text.timeline.send}
        </Button>
      </div>
    </form>
  );
}
