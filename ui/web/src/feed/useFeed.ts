import { useQuery } from '@tanstack/react-query';
import { useEffect, useMemo } from 'react';
import { getFeed } from '../api/queries';
import type { FeedDetail } from '../api/types';
import { tell, useLive } from '../live/store';

/** A feed as it is now, with what this tab asked for and the server has not confirmed yet on top. */
export function useFeed(feed: string): { detail: FeedDetail | null; error: Error | null; again: () => void } {
  const query = useQuery({
    queryKey: ['feed', feed],
    queryFn: async ({ signal }) => {
      const answer = await getFeed(feed, signal);
      tell({ kind: 'detail', ...answer });
      return answer.detail.card.version;
    },
    staleTime: 0,
    gcTime: 0,
  });
  const held = useLive((state) => state.feeds[feed]?.detail ?? null);
  const pending = useLive((state) => state.pending);
  useEffect(() => () => tell({ kind: 'unpin', feed }), [feed]);

  const detail = useMemo(() => {
    if (!held) return null;
    let card = held.card;
    for (const { command, state } of Object.values(pending)) {
      if (command.feed !== feed || state === 'rejected') continue;
      const { tags } = card;
      if (command.type === 'rename') card = { ...card, title: command.body.title };
      if (command.type === 'tag') {
        card = { ...card, tags: [...tags.filter((tag) => tag !== command.body.tag), command.body.tag] };
      }
      if (command.type === 'untag') card = { ...card, tags: tags.filter((tag) => tag !== command.body.tag) };
    }
    return card === held.card ? held : { ...held, card };
  }, [held, pending, feed]);
  // A feed that this page just opened may not be in the view yet: the subscription brings it.
  return { detail, error: query.error, again: () => void query.refetch() };
}
