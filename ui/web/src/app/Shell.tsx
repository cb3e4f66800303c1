import { Link, Outlet, useNavigate, useRouterState } from '@tanstack/react-router';
import { LayoutGrid, Radio } from 'lucide-react';
import { useEffect } from 'react';
import { meQuery, queryClient, useMe } from '../api/queries';
import { startSession } from '../live/session';
import { useLive } from '../live/store';
import { text } from '../texts';
import { AccountMenu } from './AccountMenu';
import { Logo } from './Logo';
import css from './Shell.module.css';
import { StaleBanner } from './StaleBanner';

/** The frame around every page of a signed-in person. */
export function Shell() {
  const me = useMe();
  const navigate = useNavigate();
  const here = useRouterState({ select: (state) => state.location });
  const id = me?.user.id;
  const feeds = useLive((state) => Object.keys(state.cards).length);

  useEffect(() => {
    const known = queryClient.getQueryData(meQuery.queryKey);
    if (id && known) return startSession(known as NonNullable<typeof me>);
    return undefined;
  }, [id]);

  const signedOut = me === null && queryClient.getQueryState(meQuery.queryKey)?.status === 'success';
  useEffect(() => {
    if (!signedOut || here.pathname === '/login') return;
    void navigate({ to: '/login', search: here.href === '/' ? {} : { to: here.href } });
  }, [signedOut, navigate, here]);

  if (!me) return null;
  return (
    <div className={css.app}>
      <a className={css.skip} href="#main">
        {text.app.skip}
      </a>
      <header className={css.side}>
        <Link to="/" className={css.brand}>
          <Logo />
          {text.app.name}
        </Link>
        <nav className={css.nav} aria-label={text.app.navigation}>
          <Link to="/" className={css.link} data-here={here.pathname !== '/sources' || undefined}>
            <LayoutGrid size={17} aria-hidden="true" />
            <span className={css.linkText}>{text.app.feeds}</span>
            {feeds > 0 && <b className={css.count}>{feeds}</b>}
          </Link>
          <Link to="/sources" className={css.link} activeProps={{ 'data-here': true }}>
            <Radio size={17} aria-hidden="true" />
            <span className={css.linkText}>{text.sources.page}</span>
          </Link>
        </nav>
        <AccountMenu me={me} />
      </header>
      <div className={css.content}>
        <StaleBanner />
        <Outlet />
      </div>
    </div>
  );
}
