import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Outlet,
  redirect,
} from '@tanstack/react-router';
import { meQuery, queryClient } from '../api/queries';
import { FILTERS, type Filter } from '../domain/cards';
import { HomePage } from '../home/HomePage';
import { LoginPage } from '../login/LoginPage';
import { Shell } from './Shell';
import { Crashed, Missing, Waiting } from './states';

const root = createRootRoute({ component: Outlet, notFoundComponent: Missing, errorComponent: Crashed });

const login = createRoute({
  getParentRoute: () => root,
  path: '/login',
  component: LoginPage,
  validateSearch: (search: Record<string, unknown>): { to?: string } =>
    // Only a path of this site: a link must not lead elsewhere after the login.
    typeof search.to === 'string' && /^\/(?![/\\])/.test(search.to) ? { to: search.to } : {},
});

const app = createRoute({
  getParentRoute: () => root,
  id: 'app',
  component: Shell,
  pendingComponent: Waiting,
  beforeLoad: async ({ location }) => {
    const me = await queryClient.ensureQueryData(meQuery);
    if (me) return;
    throw redirect({ to: '/login', search: location.href === '/' ? {} : { to: location.href } });
  },
});

const home = createRoute({
  getParentRoute: () => app,
  path: '/',
  component: HomePage,
  validateSearch: (search: Record<string, unknown>): { q?: string; show?: Filter } => ({
    ...(typeof search.q === 'string' && search.q ? { q: search.q } : {}),
    ...(FILTERS.includes(search.show as Filter) && search.show !== 'all'
      ? { show: search.show as Filter }
      : {}),
  }),
});

const feed = createRoute({
  getParentRoute: () => app,
  path: '/feeds/$feed',
  component: lazyRouteComponent(() => import('../feed/FeedPage'), 'FeedPage'),
  pendingComponent: Waiting,
  validateSearch: (search: Record<string, unknown>): { series?: string } =>
    typeof search.series === 'string' ? { series: search.series } : {},
});

const sources = createRoute({
  getParentRoute: () => app,
  path: '/sources',
  component: lazyRouteComponent(() => import('../sources/SourcesPage'), 'SourcesPage'),
  pendingComponent: Waiting,
});

export const router = createRouter({
  routeTree: root.addChildren([login, app.addChildren([home, feed, sources])]),
  defaultPreload: 'intent',
  defaultPreloadDelay: 120,
  scrollRestoration: true,
  // A search such as a UUID of digits stays text.
  parseSearch: (search) => Object.fromEntries(new URLSearchParams(search)),
  stringifySearch: (search) => {
    const there = Object.entries(search).flatMap(([name, value]) =>
      value === undefined || value === null ? [] : [[name, String(value)]],
    );
    return there.length ? `?${new URLSearchParams(there)}` : '';
  },
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
