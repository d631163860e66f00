// The typed HTTP client, and the one error type the pages know.
import createClient from "openapi-fetch";
import type { paths } from "./schema";
import type { Problem } from "./types";

export const api = createClient<paths>({
  // The document's paths are absolute, so the page's own origin is all that is missing.
  baseUrl: typeof window === "undefined" ? "" : window.location.origin,
  // Looked up at each call, so that a test can put its own in place.
  fetch: (request) => globalThis.fetch(request),
});

/** A problem+json answer, or the nearest thing when the server gave none. */
export class ApiError extends Error {
  readonly status: number;
  readonly title: string;
  readonly hint: string | null;
  readonly requestId: string | null;

  constructor(problem: Partial<Problem> & { title: string; status: number }) {
    super(problem.detail || problem.title);
    this.name = "ApiError";
    this.status = problem.status;
    this.title = problem.title;
    this.hint = problem.hint ?? null;
    this.requestId = problem.request_id ?? null;
  }
}

interface Answer<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

/** Waits for an answer and returns its body, or throws an `ApiError` that says why there is none. */
export async function take<T>(pending: Promise<Answer<T>>): Promise<T> {
  let answer: Answer<T>;
  try {
    answer = await pending;
  } catch (cause) {
    // An aborted request is the query library's own doing, not a failure to show.
    if (cause instanceof DOMException && cause.name === "AbortError") throw cause;
    throw new ApiError({
      status: 0,
      title: "The server can't be reached",
      detail: cause instanceof SyntaxError ? "The answer is not JSON." : "No answer came back.",
      hint: "Is `mastic serve` still running?",
    });
  }
  if (answer.response.ok) return answer.data as T;
  throw fromBody(answer.error, answer.response);
}

function fromBody(body: unknown, response: Response): ApiError {
  if (body !== null && typeof body === "object" && "title" in body && typeof body.title === "string") {
    return new ApiError({ ...(body as Problem), status: response.status });
  }
  return new ApiError({
    status: response.status,
    title: response.statusText || `The server answered ${response.status}`,
    detail: typeof body === "string" && body.length < 500 ? body : "",
  });
}

/** Whatever was thrown, as an `ApiError`. */
export function asApiError(thrown: unknown): ApiError {
  if (thrown instanceof ApiError) return thrown;
  const detail = thrown instanceof Error ? thrown.message : String(thrown);
  return new ApiError({ status: 0, title: "Something went wrong in the page", detail });
}
