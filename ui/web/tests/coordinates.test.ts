import { describe, expect, it } from 'vitest';
import { flipLpsRas, sayLps } from '../src/domain/coordinates';
import { distanceFromPlane, projectMatrix, projectVolume } from '../src/viewer/projection';

describe('LPS and RAS', () => {
  it('flips x and y, and is its own inverse', () => {
    expect(flipLpsRas([27, -28, 5])).toEqual([-27, 28, 5]);
    expect(flipLpsRas(flipLpsRas([1.5, 2.5, -3.5]))).toEqual([1.5, 2.5, -3.5]);
  });

  it('makes no negative zero', () => {
    expect(Object.is(flipLpsRas([0, 0, 0])[0], 0)).toBe(true);
  });

  it('says where a point is', () => {
    const names = { left: 'L', right: 'R', anterior: 'A', posterior: 'P', superior: 'S', inferior: 'I' };
    expect(sayLps([27.2, -28, 5], names)).toBe('L 27, A 28, S 5');
    expect(sayLps([-1, 4, -0.6], names)).toBe('R 1, P 4, I 1');
  });
});

describe('projection', () => {
  const camera = { azimuth: 0, elevation: 0, pivot: [10, 20, 30], reach: 100, zoom: 1 } as const;
  const box = [100, 50, 400, 200] as const;

  it('puts the pivot in the middle of the tile', () => {
    const [x, y] = projectVolume(camera.pivot, { ...camera, azimuth: 77, elevation: -13 }, box);
    expect([x, y]).toEqual([300, 150]);
  });

  it('shows the head up and, from azimuth 0, the right on the right', () => {
    // 80 mm are half of the shorter side.
    const [up, side] = [projectVolume([10, 20, 70], camera, box), projectVolume([50, 20, 30], camera, box)];
    expect(up[0]).toBeCloseTo(300);
    expect(up[1]).toBeCloseTo(100);
    expect(side[0]).toBeCloseTo(350);
    expect(side[1]).toBeCloseTo(150);
  });

  it('turns about the long axis with azimuth, and looks from above at elevation 90', () => {
    const quarter = projectVolume([50, 20, 30], { ...camera, azimuth: 90 }, box);
    expect(quarter[0]).toBeCloseTo(300);
    const above = projectVolume([10, 60, 30], { ...camera, elevation: 90 }, box);
    expect(above[1]).toBeCloseTo(100);
  });

  it('zooms about the pivot', () => {
    expect(projectVolume([10, 20, 70], { ...camera, zoom: 2 }, box)[1]).toBeCloseTo(50);
  });

  it('fits the shorter side of a tall tile', () => {
    expect(projectVolume([50, 20, 30], camera, [0, 0, 200, 400])[0]).toBeCloseTo(150);
  });

  it('projects with a matrix', () => {
    const scale = [0.01, 0, 0, 0, 0, 0.01, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1];
    expect(projectMatrix([50, 50, 0], scale, box)).toEqual([400, 100]);
  });

  it('measures the distance from a plane', () => {
    expect(distanceFromPlane([1, 2, 8], [0, 0, 1], [0, 0, 5])).toBe(3);
  });
});
