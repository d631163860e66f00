// The four things a query can be: on its way, failed, empty, there. Each page shows all four the same way.
import { Button, Group, Skeleton, Text } from "@mantine/core";
import { IconRefresh } from "@tabler/icons-react";
import type { InfiniteData, UseInfiniteQueryResult, UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { asApiError } from "../api/client";
import type { Page } from "../api/types";
import { counted } from "../format/number";
import classes from "./Loaded.module.css";
import { Notice } from "./Notice";

/** Why something failed and what to do about it. */
export function Failure({ error, retry, title }: { error: unknown; retry?: () => void; title?: string }) {
  const problem = asApiError(error);
  return (
    <Notice
      title={title ?? problem.title}
      message={problem.message === (title ?? problem.title) ? null : problem.message}
      hint={problem.hint}
    >
      {problem.requestId ? (
        <Text size="xs" c="dimmed">
          Request {problem.requestId}
        </Text>
      ) : null}
      {retry ? (
        <Group>
          <Button
            size="xs"
            variant="default"
            leftSection={<IconRefresh size={14} aria-hidden />}
            onClick={retry}
          >
            Try again
          </Button>
        </Group>
      ) : null}
    </Notice>
  );
}

export function Loading({ lines = 4 }: { lines?: number }) {
  return (
    <div className={classes.loading} role="status" aria-label="Loading">
      {Array.from({ length: lines }, (_, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: placeholders are alike
        <Skeleton key={index} height={18} width={`${92 - ((index * 17) % 40)}%`} />
      ))}
    </div>
  );
}

/** Nothing here yet: why, and what to type to change that. */
export function Empty({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className={classes.empty}>
      <Text fw={500}>{title}</Text>
      {children ? <div className={classes.next}>{children}</div> : null}
    </div>
  );
}

interface LoadedProps<T> {
  query: UseQueryResult<T>;
  lines?: number;
  children: (data: T) => ReactNode;
}

export function Loaded<T>({ query, lines, children }: LoadedProps<T>) {
  if (query.data !== undefined) {
    return (
      <>
        {/* Old data is better than none, but the reader must know that it is old. */}
        {query.isRefetchError ? <Failure error={query.error} retry={() => query.refetch()} /> : null}
        {children(query.data)}
      </>
    );
  }
  if (query.isError) {
    return <Failure error={query.error} retry={() => query.refetch()} />;
  }
  return <Loading lines={lines} />;
}

interface LoadedListProps<T> {
  query: UseInfiniteQueryResult<InfiniteData<Page<T>>>;
  /** What one item is called, for the count under the list. */
  one: string;
  many?: string;
  empty: ReactNode;
  /** Keeps the rows the reader asked for; what does not match is counted, not hidden silently. */
  keep?: (item: T) => boolean;
  /** Shows only so many, without a foot: for extracts. */
  first?: number;
  children: (items: T[]) => ReactNode;
}

export function LoadedList<T>({ query, one, many, empty, keep, first, children }: LoadedListProps<T>) {
  if (query.data === undefined) {
    return query.isError ? (
      <div className={classes.pad}>
        <Failure error={query.error} retry={() => query.refetch()} />
      </div>
    ) : (
      <div className={classes.pad}>
        <Loading />
      </div>
    );
  }
  const all = query.data.pages.flatMap((page) => page.items);
  const stale = query.isRefetchError ? (
    <div className={classes.pad}>
      <Failure error={query.error} retry={() => query.refetch()} />
    </div>
  ) : null;
  if (all.length === 0) {
    return (
      <>
        {stale}
        {empty}
      </>
    );
  }
  const kept = keep ? all.filter(keep) : all;
  if (first !== undefined) {
    return (
      <>
        {stale}
        {children(kept.slice(0, first))}
      </>
    );
  }
  return (
    <>
      {stale}
      {kept.length > 0 ? children(kept) : <Empty title={`No ${one} here matches the filter.`} />}
      <div className={classes.foot}>
        <span role="status">
          {kept.length === all.length
            ? counted(all.length, one, many)
            : `${kept.length} of ${counted(all.length, one, many)}`}
          {query.hasNextPage ? " loaded, there are more" : ""}
        </span>
        {query.hasNextPage ? (
          <Button
            size="xs"
            variant="default"
            loading={query.isFetchingNextPage}
            onClick={() => query.fetchNextPage()}
          >
            Load more
          </Button>
        ) : null}
      </div>
    </>
  );
}
