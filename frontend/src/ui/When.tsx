// A time, told relative to now, with the exact time as its title. All of them tick together.
import { useSyncExternalStore } from "react";
import { duration, exact, relative } from "../format/time";

let now = Date.now();
const listeners = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;

function subscribe(listener: () => void) {
  listeners.add(listener);
  timer ??= setInterval(() => {
    now = Date.now();
    for (const each of listeners) each();
  }, 1000);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) {
      clearInterval(timer);
      timer = undefined;
    }
  };
}

function read() {
  // With nobody listening the clock stands still, so the first reader sets it right.
  if (timer === undefined) now = Date.now();
  return now;
}

export function useNow(): number {
  return useSyncExternalStore(subscribe, read);
}

export function When({ at }: { at: string | null | undefined }) {
  const current = useNow();
  if (!at) return <span>not yet</span>;
  return (
    <time dateTime={at} title={exact(at)}>
      {relative(at, current)}
    </time>
  );
}

interface TookProps {
  ms?: number | null;
  from?: string | null;
  to?: string | null;
}

/** A duration: as the server measured it, or counting up while there is no end yet. */
export function Took({ ms, from, to }: TookProps) {
  const current = useNow();
  if (ms != null) return <span className="num">{duration(ms)}</span>;
  if (!from) return <span aria-hidden="true">–</span>;
  const end = to ? Date.parse(to) : current;
  return <span className="num">{duration(Math.max(0, end - Date.parse(from)))}</span>;
}
