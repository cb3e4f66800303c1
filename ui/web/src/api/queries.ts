import { QueryClient, useQuery } from '@tanstack/react-query';
import { ApiError, get, keepCsrf } from './client';
import type {
  Card,
  FeedDetail,
  Me,
  Person,
  SeriesCounts,
  SourceView,
  StudyOption,
  TimelineRow,
} from './types';

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: Number.POSITIVE_INFINITY,
      refetchOnWindowFocus: false,
      // What the server refused stays refused; what it could not answer is asked again.
      retry: (count, error) => !(error instanceof ApiError && error.status < 500) && count < 5,
      retryDelay: (count) => Math.min(15_000, 500 * 2 ** count),
    },
  },
});

/** Who is signed in; null when nobody is. */
export const meQuery = {
  queryKey: ['me'],
  queryFn: async (): Promise<Me | null> => {
    try {
      const me = await get<Me>('/api/me');
      keepCsrf(me.csrf);
      return me;
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) return null;
      throw error;
    }
  },
};

export function useMe(): Me | null {
  return useQuery(meQuery).data ?? null;
}

const peopleQuery = {
  queryKey: ['people'],
  queryFn: async (): Promise<Record<string, string>> => {
    const { people } = await get<{ people: Person[] }>('/api/people');
    return Object.fromEntries(people.map((one) => [one.id, one.display_name]));
  },
  staleTime: 60_000,
};

/** Names by opaque id. */
export function usePeople(): Record<string, string> {
  return useQuery(peopleQuery).data ?? {};
}

export const getCards = (signal?: AbortSignal) =>
  get<{ cards: Card[]; counts: SeriesCounts[]; more?: unknown }>('/api/feeds', signal);

export const getFeed = (feed: string, signal?: AbortSignal) =>
  get<{ detail: FeedDetail; counts: SeriesCounts[] }>(`/api/feeds/${feed}`, signal);

export const getSources = (signal?: AbortSignal) =>
  get<{ now: string; sources: SourceView[] }>('/api/sources', signal);

export async function getRows(
  feed: string,
  limit: number,
  before?: number,
  signal?: AbortSignal,
): Promise<TimelineRow[]> {
  const from = before === undefined ? '' : `&before=${before}`;
  return (await get<{ rows: TimelineRow[] }>(`/api/feeds/${feed}/timeline?limit=${limit}${from}`, signal))
    .rows;
}

export function useStudies(enabled: boolean) {
  return useQuery({
    queryKey: ['studies'],
    queryFn: () => get<{ studies: StudyOption[]; more?: unknown }>('/api/studies'),
    enabled,
    staleTime: 0,
  });
}
