/** Make a UUID version 7 (RFC 9562): 48 bits of Unix time in ms, then chance. */
export function uuid7(
  now: number = Date.now(),
  random: Uint8Array = crypto.getRandomValues(new Uint8Array(10)),
): string {
  const hex = (value: number, width: number) => value.toString(16).padStart(width, '0');
  const time = hex(Math.floor(now), 12);
  const byte = (index: number) => random[index] ?? 0;
  const a = hex(0x7000 | ((byte(0) & 0x0f) << 8) | byte(1), 4);
  const b = hex(0x8000 | ((byte(2) & 0x3f) << 8) | byte(3), 4);
  const node = Array.from({ length: 6 }, (_, index) => hex(byte(4 + index), 2)).join('');
  return `${time.slice(0, 8)}-${time.slice(8)}-${a}-${b}-${node}`;
}
