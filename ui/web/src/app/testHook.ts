// What end-to-end tests read of the real build, instead of guessing from the screen or sleeping.
//
// It exists only in a tab whose local storage says `chipsTest` = `1`, which nothing in the app ever sets.
// It shows what this page shows anyway, asks the server nothing and changes nothing but the view of the
// open viewer; whoever can set local storage here can already run scripts in the page.

import type { Point } from '../domain/coordinates';
import { link } from '../live/socket';
import { live } from '../live/store';
import type { Projection, Sample, Scene, Tile, Viewer } from '../viewer/viewer';

export interface TestHook {
  /** The socket is open and the cards are there. */
  readonly ready: boolean;
  /** Present counts of the cards by feed, as the page shows them. */
  cards(): Record<
    string,
    { title: string; state: string; version: number; stored: number; anonymized: number }
  >;
  /** Last sequence applied for a followed feed; -1 when it is not followed. */
  lastSeq(feed: string): number;
  /** Commands of this tab that are not settled. */
  pending(): number;
  /** Null while no volume is shown. */
  scene(): Scene | null;
  viewer: {
    ready(): boolean;
    /** Turn, zoom, move as a person could. */
    setScene(scene: Partial<Scene>): void;
    tiles(): Tile[];
    /** Where an LPS point (mm) is drawn in each tile, CSS pixels of the canvas. */
    project(point: Point): Projection[];
    pick(x: number, y: number): Promise<Sample | null>;
    probe(): Sample | null;
    /** RGBA at a CSS pixel of the canvas, drawn anew. */
    pixel(x: number, y: number): [number, number, number, number];
    /** Mean RGB of each of `columns` x `rows` cells of a rectangle (CSS pixels), drawn anew. */
    cells(
      left: number,
      top: number,
      width: number,
      height: number,
      columns: number,
      rows: number,
    ): number[][];
    /** The picture as a PNG data URL, drawn anew. */
    screenshot(): Promise<string>;
  };
}

declare global {
  interface Window {
    __chips?: TestHook;
  }
}

let shown: Viewer | null = null;
let canvas: HTMLCanvasElement | null = null;

/** Tell the hook which viewer shows a volume now; null when none does. */
export function showViewer(viewer: Viewer | null, on: HTMLCanvasElement | null): void {
  shown = viewer;
  canvas = on;
}

function need(): Viewer {
  if (!shown) throw new Error('No volume is shown: wait for viewer.ready().');
  return shown;
}

/** Offer `window.__chips` when this tab is under test. */
export function installTestHook(): void {
  if (window.localStorage.getItem('chipsTest') !== '1') return;
  window.__chips = {
    get ready() {
      return link.getState().status === 'open' && live.getState().order !== null;
    },
    cards: () => {
      const { cards, counts } = live.getState();
      return Object.fromEntries(
        Object.values(cards).map((card) => {
          const sum = (of: 'stored' | 'anonymized') =>
            card.series.reduce((total, series) => total + (counts[series]?.[of] ?? 0), 0);
          const { title, state, version } = card;
          return [
            card.feed,
            {
              title,
              state,
              version,
              stored: sum('stored'),
              anonymized: Math.max(card.anonymized, sum('anonymized')),
            },
          ];
        }),
      );
    },
    lastSeq: (feed) =>
      live.getState().followed.includes(feed) ? (live.getState().feeds[feed]?.last ?? -1) : -1,
    pending: () => Object.keys(live.getState().pending).length,
    scene: () => shown?.getScene() ?? null,
    viewer: {
      ready: () => shown !== null,
      setScene: (scene) => need().setScene(scene),
      tiles: () => need().tiles(),
      project: (point) => need().project(point),
      pick: (x, y) => need().pick(x, y),
      probe: () => shown?.probe() ?? null,
      pixel: (x, y) => {
        const { width, height, data } = need().pixels();
        const scale = canvas?.clientWidth ? width / canvas.clientWidth : 1;
        const column = Math.min(width - 1, Math.max(0, Math.round(x * scale)));
        const row = Math.min(height - 1, Math.max(0, Math.round(y * scale)));
        const at = (row * width + column) * 4;
        return [data[at] ?? 0, data[at + 1] ?? 0, data[at + 2] ?? 0, data[at + 3] ?? 0];
      },
      cells: (left, top, width, height, columns, rows) =>
        cells(need(), [left, top, width, height], columns, rows),
      screenshot: async () => {
        const blob = await need().screenshot();
        return await new Promise<string>((done) => {
          const reader = new FileReader();
          reader.onload = () => done(String(reader.result));
          reader.readAsDataURL(blob);
        });
      },
    },
  };
}

function cells(
  viewer: Viewer,
  [left, top, across, down]: readonly [number, number, number, number],
  columns: number,
  rows: number,
): number[][] {
  const { width, height, data } = viewer.pixels();
  const scale = canvas?.clientWidth ? width / canvas.clientWidth : 1;
  const sums = Array.from({ length: columns * rows }, () => [0, 0, 0, 0]);
  const first = { x: Math.max(0, Math.floor(left * scale)), y: Math.max(0, Math.floor(top * scale)) };
  const last = {
    x: Math.min(width, Math.ceil((left + across) * scale)),
    y: Math.min(height, Math.ceil((top + down) * scale)),
  };
  for (let y = first.y; y < last.y; y += 1) {
    for (let x = first.x; x < last.x; x += 1) {
      const column = Math.min(columns - 1, Math.floor(((x - first.x) / (last.x - first.x)) * columns));
      const row = Math.min(rows - 1, Math.floor(((y - first.y) / (last.y - first.y)) * rows));
      const sum = sums[row * columns + column];
      if (!sum) continue;
      for (let channel = 0; channel < 3; channel += 1) {
        sum[channel] = (sum[channel] ?? 0) + (data[(y * width + x) * 4 + channel] ?? 0);
      }
      sum[3] = (sum[3] ?? 0) + 1;
    }
  }
  return sums.map(([r = 0, g = 0, b = 0, n = 0]) => (n ? [r / n, g / n, b / n] : [0, 0, 0]));
}
