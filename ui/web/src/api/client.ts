import { text } from '../texts';

/** What the server refused, with its HTTP status; the message says what to do. */
export class ApiError extends Error {
  readonly status: number;
  /** When the server wants to be asked again, s; null when it does not say. */
  readonly retryAfter: number | null;

  constructor(status: number, message: string, retryAfter: number | null = null) {
    super(message);
    this.status = status;
    this.retryAfter = retryAfter;
  }
}

/** The server could not be reached: try again later. */
export class Unreachable extends Error {}

let csrf = '';

/** Keep the CSRF token of the session for every request that changes something. */
export function keepCsrf(token: string): void {
  csrf = token;
}

async function refusal(response: Response): Promise<ApiError> {
  const said: unknown = await response.json().catch(() => null);
  const told = said && typeof said === 'object' && 'error' in said ? String(said.error) : '';
  const after = Number(response.headers.get('Retry-After')) || null;
  return new ApiError(response.status, told || text.errors.status(response.status), after);
}

async function send(path: string, init: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path, { credentials: 'same-origin', ...init });
  } catch (cause) {
    if (init.signal?.aborted) throw cause;
    throw new Unreachable(text.errors.unreachable, { cause });
  }
  if (!response.ok) throw await refusal(response);
  return response;
}

/** GET JSON. */
export async function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  const response = await send(path, signal ? { signal } : {});
  return (await response.json()) as T;
}

/** POST JSON with the CSRF token; gives the status too, because 200 and 202 differ. */
export async function post<T>(path: string, body: unknown): Promise<{ status: number; body: T }> {
  const response = await send(path, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'X-CSRF-Token': csrf },
    body: JSON.stringify(body),
  });
  return { status: response.status, body: (await response.json().catch(() => ({}))) as T };
}

/** GET bytes, telling how many of them have come (0 to 1, or null when the size is unknown). */
export async function getBytes(
  path: string,
  signal: AbortSignal,
  onProgress: (fraction: number | null) => void,
): Promise<Uint8Array<ArrayBuffer>> {
  const response = await send(path, { signal });
  const total = Number(response.headers.get('Content-Length')) || null;
  if (!response.body) return new Uint8Array(await response.arrayBuffer());
  const parts: Uint8Array[] = [];
  let size = 0;
  for (const reader = response.body.getReader(); ; ) {
    const { done, value } = await reader.read();
    if (done) break;
    parts.push(value);
    size += value.length;
    onProgress(total && Math.min(1, size / total));
  }
  const whole = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** The address of a file that a feed shows. */
export function fileUrl(feed: string, sha256: string): string {
  return `/api/feeds/${feed}/files/${sha256}`;
}
