// How the server's parts are: /readyz, which is beside the API.
import { queryOptions } from "@tanstack/react-query";

interface Part {
  part: string;
  ok: boolean;
  needed: boolean;
  problem: string | null;
  hint: string | null;
}

export interface Readiness {
  ready: boolean;
  parts: Part[];
}

/** It answers with 503 and the same body where something is wrong; nothing where it can't be asked. */
async function ask(signal: AbortSignal): Promise<Readiness | null> {
  const answer = await globalThis.fetch("/readyz", { signal });
  const body: unknown = await answer.json();
  const parts = body !== null && typeof body === "object" && "parts" in body && Array.isArray(body.parts);
  return parts ? (body as Readiness) : null;
}

export const readiness = queryOptions({
  queryKey: ["readiness"],
  queryFn: ({ signal }) => ask(signal),
  refetchInterval: 10_000,
  retry: false,
});
