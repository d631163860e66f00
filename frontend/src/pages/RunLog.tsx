// The log of a run: read page by page once it is written, streamed while the run is writing it.
import { useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { logText } from "../api/actions";
import { runLog } from "../api/queries";
import type { LogLine } from "../api/types";
import { Button } from "../ui/kit";
import { Empty, Failure, Loading } from "../ui/Loaded";
import { Log } from "../ui/Log";
import { Panel } from "../ui/Page";

/** Lines as the server sends them while the run goes on. `broken` says that they don't come this way. */
function useStream(id: string, live: boolean): { lines: LogLine[]; broken: boolean } {
  const [lines, setLines] = useState<LogLine[]>([]);
  const [broken, setBroken] = useState(false);
  useEffect(() => {
    if (!live || typeof EventSource === "undefined") return;
    const source = new EventSource(`/api/v1/runs/${encodeURIComponent(id)}/logs`);
    let waiting: LogLine[] = [];
    let frame = 0;
    const flush = () => {
      frame = 0;
      const batch = waiting;
      waiting = [];
      setLines((before) => [...before, ...batch]);
    };
    source.onmessage = (message) => {
      try {
        waiting.push(JSON.parse(message.data) as LogLine);
      } catch {
        return;
      }
      // A run may write thousands of lines a second; one drawing for each would stop the page.
      if (frame === 0) frame = window.setTimeout(flush, 100);
    };
    source.onerror = () => {
      // While it says CONNECTING the browser tries again by itself; lines sent twice are told apart by seq.
      if (source.readyState === EventSource.CLOSED) setBroken(true);
    };
    return () => {
      source.close();
      window.clearTimeout(frame);
      // What has come must not be lost with the clock that would have shown it.
      if (waiting.length > 0) flush();
    };
  }, [id, live]);
  return { lines, broken };
}

/** One list out of two sources, each line once, in order. */
export function merge(read: LogLine[], streamed: LogLine[]): LogLine[] {
  if (streamed.length === 0) return read;
  const lines = new Map<number, LogLine>();
  for (const line of read) lines.set(line.seq, line);
  for (const line of streamed) lines.set(line.seq, line);
  return [...lines.values()].sort((a, b) => a.seq - b.seq);
}

export function RunLog({ id, live }: { id: string; live: boolean }) {
  const stream = useStream(id, live);
  const poll = live && (stream.broken || typeof EventSource === "undefined");
  const query = useInfiniteQuery(runLog(id, poll));
  const client = useQueryClient();
  const [wasLive, setWasLive] = useState(live);

  useEffect(() => {
    // The last lines may have been written between the last event and the end.
    if (wasLive && !live) client.invalidateQueries({ queryKey: ["runs", id, "logs"] });
    if (wasLive !== live) setWasLive(live);
  }, [wasLive, live, client, id]);

  const save = useMutation({
    mutationFn: () => logText(id),
    onSuccess: (text) => {
      const link = document.createElement("a");
      link.href = URL.createObjectURL(new Blob([text], { type: "text/plain" }));
      link.download = `run-${id}.log`;
      link.click();
      URL.revokeObjectURL(link.href);
    },
  });

  const read = query.data?.pages.flatMap((page) => page.items) ?? [];
  const lines = merge(read, stream.lines);
  const waiting = query.isPending && lines.length === 0;
  return (
    <Panel
      flush
      title="Log"
      actions={
        <>
          {query.hasNextPage && (!live || poll) ? (
            <Button
              size="xs"
              variant="default"
              loading={query.isFetchingNextPage}
              onClick={() => query.fetchNextPage()}
            >
              Load more
            </Button>
          ) : null}
          <Button size="xs" variant="default" loading={save.isPending} onClick={() => save.mutate()}>
            Save as text
          </Button>
        </>
      }
    >
      {save.isError ? <Failure error={save.error} title="The log was not saved" /> : null}
      {query.isError ? <Failure error={query.error} retry={() => query.refetch()} /> : null}
      {waiting ? (
        <div style={{ padding: 16 }}>
          <Loading />
        </div>
      ) : lines.length > 0 ? (
        <Log label="Log of the run" lines={lines} live={live} />
      ) : query.isError ? null : (
        <Empty title={live ? "The run has not written anything yet." : "The run wrote no log."} />
      )}
    </Panel>
  );
}
