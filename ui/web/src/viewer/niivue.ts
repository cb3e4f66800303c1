// The NiiVue adapter: the one module that knows the library. NiiVue works in RAS mm and device pixels.

import NiiVue, { DRAG_MODE, type NVImage } from '@niivue/niivue/webgl2';
import { flipLpsRas, type Point } from '../domain/coordinates';
import { distanceFromPlane, projectMatrix, projectVolume, type Rectangle } from './projection';
import type {
  DragTool,
  Layer,
  Layout,
  Projection,
  Sample,
  Scene,
  Tile,
  TileKind,
  Viewer,
  ViewerEvents,
} from './viewer';

const SLICE = { axial: 0, coronal: 1, sagittal: 2, multiplanar: 3, volume: 4 } as const;
const KINDS: readonly TileKind[] = ['axial', 'coronal', 'sagittal', 'volume', 'volume'];
/** The crosshair's radius as a share of the volume's. */
const CROSSHAIR_SHARE = 420;
const START = { azimuth: 110, elevation: 15, zoom: 1 } as const;

type SliceTile = NonNullable<NiiVue['view']>['screenSlices'][number];

class NiiVueViewer implements Viewer {
  readonly #nv: NiiVue;
  readonly #canvas: HTMLCanvasElement;
  readonly #listeners: { [K in keyof ViewerEvents]: Set<(detail: ViewerEvents[K]) => void> } = {
    scene: new Set(),
  };
  #frame: number | null = null;
  #seen = '';

  constructor(nv: NiiVue, canvas: HTMLCanvasElement) {
    this.#nv = nv;
    this.#canvas = canvas;
    // The library listens to keys of the whole window and keeps doing so after its end: our own keys
    // work on the focused canvas only.
    const keys = nv._eventListeners.keydown;
    if (keys) window.removeEventListener('keydown', keys);
    this.#watch();
  }

  async load(layers: readonly Layer[]): Promise<void> {
    await this.#nv.removeAllVolumes();
    await this.#nv.loadVolumes(
      layers.map((layer) => ({
        url: new File([layer.bytes], `${layer.name}.nii.gz`),
        name: layer.name,
        colormap: layer.colormap ?? 'gray',
        opacity: layer.opacity ?? 1,
        isColorbarVisible: false,
      })),
    );
    // The crosshair is a tube in world mm: keep it thin whatever the size of the volume.
    this.#nv.crosshairWidth = this.#nv.model.furthestFromPivot / CROSSHAIR_SHARE;
    this.reset();
    await this.#settled();
  }

  async setLayers(layers: readonly Pick<Layer, 'colormap' | 'opacity'>[]): Promise<void> {
    for (const [index, layer] of layers.entries()) {
      if (this.#nv.volumes[index]) await this.#nv.setVolume(index, layer);
    }
  }

  getScene(): Scene {
    const nv = this.#nv;
    const volume = this.#background();
    const [px = 0, py = 0, pz = 0, zoom = 1] = nv.pan2Dxyzmm;
    const pan = flipLpsRas([px, py, pz]);
    return {
      layout: nv.sliceType === SLICE.volume ? 'volume' : 'multiplanar',
      crosshair: flipLpsRas(this.#crosshair()),
      azimuth: nv.azimuth,
      elevation: nv.elevation,
      zoom: nv.scaleMultiplier,
      pan: [pan[0], pan[1], pan[2], zoom],
      window: volume ? [volume.calMin, volume.calMax] : null,
    };
  }

  setScene(scene: Partial<Scene>): void {
    const nv = this.#nv;
    if (scene.layout) nv.sliceType = SLICE[scene.layout];
    if (scene.azimuth !== undefined) nv.azimuth = ((scene.azimuth % 360) + 360) % 360;
    if (scene.elevation !== undefined) nv.elevation = clamp(scene.elevation, -90, 90);
    if (scene.zoom !== undefined) nv.scaleMultiplier = clamp(scene.zoom, 0.5, 4);
    if (scene.pan) {
      const [x, y, z] = flipLpsRas([scene.pan[0], scene.pan[1], scene.pan[2]]);
      nv.pan2Dxyzmm = [x, y, z, clamp(scene.pan[3], 0.1, 10)];
    }
    if (scene.crosshair) nv.setCrosshairPos(flipLpsRas(scene.crosshair));
    if (scene.window && this.#background()) {
      const [calMin, calMax] = scene.window;
      void nv.setVolume(0, { calMin, calMax: Math.max(calMax, calMin + 1e-6) });
    }
    nv.drawScene();
  }

  setTool(tool: DragTool): void {
    this.#nv.primaryDragMode = tool === 'window' ? DRAG_MODE.windowing : DRAG_MODE.crosshair;
  }

  reset(): void {
    const volume = this.#background();
    const pivot = this.#nv.model.pivot3D;
    this.setScene({
      ...START,
      crosshair: flipLpsRas([pivot[0] ?? 0, pivot[1] ?? 0, pivot[2] ?? 0]),
      pan: [0, 0, 0, 1],
      window: volume ? [volume.robustMin, volume.robustMax] : null,
    });
  }

  on<K extends keyof ViewerEvents>(event: K, listener: (detail: ViewerEvents[K]) => void): () => void {
    this.#listeners[event].add(listener);
    return () => this.#listeners[event].delete(listener);
  }

  async pick(x: number, y: number): Promise<Sample | null> {
    const scale = this.#scale();
    const found = await this.#nv.view?.depthPick(x * scale, y * scale);
    this.#nv.drawScene();
    return found ? { point: flipLpsRas(found), value: this.#valueAt(found) } : null;
  }

  probe(): Sample {
    const at = this.#crosshair();
    return { point: flipLpsRas(at), value: this.#valueAt(at) };
  }

  tiles(): Tile[] {
    return (this.#nv.view?.screenSlices ?? []).flatMap((slice) => {
      const rectangle = this.#rectangle(slice);
      return rectangle ? [tileOf(slice, rectangle)] : [];
    });
  }

  project(point: Point): Projection[] {
    const at = flipLpsRas(point);
    const { model } = this.#nv;
    return (this.#nv.view?.screenSlices ?? []).flatMap((slice) => {
      const rectangle = this.#rectangle(slice);
      if (!rectangle) return [];
      const tile = tileOf(slice, rectangle);
      if (tile.kind === 'volume') {
        const [px = 0, py = 0, pz = 0] = model.pivot3D;
        const [x, y] = projectVolume(
          at,
          {
            azimuth: model.scene.azimuth,
            elevation: model.scene.elevation,
            pivot: [px, py, pz],
            reach: model.furthestFromPivot,
            zoom: model.scene.scaleMultiplier,
          },
          rectangle,
        );
        return [{ tile, x, y, offPlane: 0 }];
      }
      if (!slice.mvpMatrix) return [];
      const [x, y] = projectMatrix(at, slice.mvpMatrix, rectangle);
      const offPlane =
        slice.planeNormal && slice.planePoint
          ? Math.abs(distanceFromPlane(at, slice.planeNormal, slice.planePoint))
          : 0;
      return [{ tile, x, y, offPlane }];
    });
  }

  async screenshot(): Promise<Blob> {
    // The drawing buffer is only sure to hold the picture in the task that drew it.
    this.#nv.view?.render();
    const blob = await new Promise<Blob | null>((done) => {
      this.#canvas.toBlob(done, 'image/png');
    });
    if (!blob) throw new Error('The canvas gave no picture.');
    return blob;
  }

  pixels(): { width: number; height: number; data: Uint8Array } {
    this.#nv.view?.render();
    const context = this.#canvas.getContext('webgl2');
    const { width, height } = this.#canvas;
    const flipped = new Uint8Array(width * height * 4);
    context?.readPixels(0, 0, width, height, context.RGBA, context.UNSIGNED_BYTE, flipped);
    const data = new Uint8Array(flipped.length);
    for (let row = 0; row < height; row += 1) {
      data.set(flipped.subarray((height - 1 - row) * width * 4, (height - row) * width * 4), row * width * 4);
    }
    return { width, height, data };
  }

  nudge(right: number, front: number, head: number): void {
    if (this.#background()) this.#nv.moveCrosshairInVox(right, front, head);
  }

  dispose(): void {
    if (this.#frame !== null) cancelAnimationFrame(this.#frame);
    this.#frame = null;
    this.#listeners.scene.clear();
    const context = this.#canvas.getContext('webgl2');
    this.#nv.model.clearAllGPUResources();
    this.#nv.destroy();
    context?.getExtension('WEBGL_lose_context')?.loseContext();
  }

  // Mouse turning, zooming and panning emit nothing, so every frame is compared with the last one. This
  // does not depend on what events the library has.
  #watch(): void {
    this.#frame = requestAnimationFrame(() => {
      const scene = this.getScene();
      const now = JSON.stringify(scene);
      if (now !== this.#seen) {
        this.#seen = now;
        for (const listener of this.#listeners.scene) listener(scene);
      }
      this.#watch();
    });
  }

  // The library loads textures beside drawing; two drawn frames later everything it began is on the canvas.
  async #settled(): Promise<void> {
    for (let frame = 0; frame < 2; frame += 1) {
      this.#nv.drawScene();
      await new Promise((done) => requestAnimationFrame(done));
    }
  }

  #background(): NVImage | undefined {
    return this.#nv.volumes[0];
  }

  #crosshair(): [number, number, number] {
    const at = this.#nv.model.scene2mm(this.#nv.model.scene.crosshairPos);
    return [at[0] ?? 0, at[1] ?? 0, at[2] ?? 0];
  }

  #valueAt(at: ArrayLike<number>): number | null {
    const volume = this.#background();
    const matrix = volume?.matRAS;
    if (!volume?.img || !matrix || !volume.dimsRAS || !volume.img2RASstep || !volume.img2RASstart)
      return null;
    const voxel = solveAffine(matrix, [at[0] ?? 0, at[1] ?? 0, at[2] ?? 0]);
    if (!voxel) return null;
    let index = 0;
    for (let axis = 0; axis < 3; axis += 1) {
      const i = Math.round(voxel[axis] ?? -1);
      if (i < 0 || i >= (volume.dimsRAS[axis + 1] ?? 0)) return null;
      index += (volume.img2RASstart[axis] ?? 0) + i * (volume.img2RASstep[axis] ?? 0);
    }
    const raw = volume.img[index];
    return raw === undefined ? null : raw * (volume.hdr.scl_slope || 1) + (volume.hdr.scl_inter || 0);
  }

  #scale(): number {
    return this.#canvas.clientWidth ? this.#canvas.width / this.#canvas.clientWidth : 1;
  }

  #rectangle(slice: SliceTile): Rectangle | null {
    const [left, top, width, height] = slice.leftTopWidthHeight ?? [];
    if (left === undefined || top === undefined || !width || !height) return null;
    const scale = this.#scale();
    return [left / scale, top / scale, width / scale, height / scale];
  }
}

/** Start NiiVue on a canvas. Fails when the browser has no WebGL 2. */
export async function createViewer(canvas: HTMLCanvasElement, layout: Layout): Promise<Viewer> {
  const nv = new NiiVue({
    backgroundColor: [0, 0, 0, 1],
    crosshairColor: [0.37, 0.69, 0.96, 0.9],
    crosshairWidth: 1,
    crosshairGap: 8,
    is3DCrosshairVisible: true,
    isOrientCubeVisible: true,
    isOrientationTextVisible: true,
    isColorbarVisible: false,
    isLegendVisible: false,
    isDragDropEnabled: false,
    isRadiological: true,
    fontColor: [0.72, 0.77, 0.82, 1],
    sliceType: SLICE[layout],
    multiplanarType: 2,
    showRender: 1,
    tileMargin: 2,
    volumeIllumination: 0.6,
    primaryDragMode: DRAG_MODE.crosshair,
    secondaryDragMode: DRAG_MODE.windowing,
    logLevel: 'error',
    ...START,
  });
  await nv.attachToCanvas(canvas);
  return new NiiVueViewer(nv, canvas);
}

function tileOf(slice: SliceTile, [left, top, width, height]: Rectangle): Tile {
  return { kind: KINDS[slice.axCorSag] ?? 'volume', left, top, width, height };
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, value));
}

/** Solve `matrix · voxel = point` for NiiVue's row-major 4x4 affine; null when it is degenerate. */
function solveAffine(matrix: ArrayLike<number>, point: Point): [number, number, number] | null {
  const m = (row: number, column: number): number => matrix[row * 4 + column] ?? 0;
  const b = [point[0] - m(0, 3), point[1] - m(1, 3), point[2] - m(2, 3)];
  const minor = (r1: number, r2: number, c1: number, c2: number) =>
    m(r1, c1) * m(r2, c2) - m(r1, c2) * m(r2, c1);
  const det = m(0, 0) * minor(1, 2, 1, 2) - m(0, 1) * minor(1, 2, 0, 2) + m(0, 2) * minor(1, 2, 0, 1);
  if (Math.abs(det) < 1e-12) return null;
  const solve = (column: number): number => {
    const at = (row: number, c: number): number => (c === column ? (b[row] ?? 0) : m(row, c));
    return (
      (at(0, 0) * (at(1, 1) * at(2, 2) - at(1, 2) * at(2, 1)) -
        at(0, 1) * (at(1, 0) * at(2, 2) - at(1, 2) * at(2, 0)) +
        at(0, 2) * (at(1, 0) * at(2, 1) - at(1, 1) * at(2, 0))) /
      det
    );
  };
  return [solve(0), solve(1), solve(2)];
}
