// Crawls: the crawlers that are kept, what has been crawled, and a form to crawl a prefix now.
import { useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useId, useState } from "react";
import { startCrawl, startCrawler, stopCrawler } from "../api/actions";
import { crawlers, crawls } from "../api/queries";
import type { Crawler } from "../api/types";
import { StateBadge } from "../ui/Badge";
import { DataTable } from "../ui/DataTable";
import { Button, Checkbox, Group, Stack, Text, TextInput } from "../ui/kit";
import { Empty, Failure, LoadedList } from "../ui/Loaded";
import { Link } from "../ui/link";
import { Mono, Nothing, Page, Panel } from "../ui/Page";
import { When } from "../ui/When";
import { CrawlHint } from "./hints";
import { CrawlTable } from "./lists";

export function CrawlsPage() {
  const list = useInfiniteQuery(crawls);
  const kept = useInfiniteQuery(crawlers);
  return (
    <Page
      title="Crawls"
      lead="A crawl reads a prefix, decides which tables lie there, and says why. A dry run only says it."
      path="/api/v1/crawls"
      command="mastic crawl s3://BUCKET/PREFIX --dry-run"
    >
      <CrawlForm />
      <Panel flush title="Crawls">
        <LoadedList
          query={list}
          one="crawl"
          empty={
            <Empty title="Nothing has been crawled yet.">
              <CrawlHint />
            </Empty>
          }
        >
          {(items) => <CrawlTable crawls={items} />}
        </LoadedList>
      </Panel>
      <Panel flush title="Crawlers">
        <LoadedList
          query={kept}
          one="crawler"
          empty={
            <Empty title="No crawler is kept.">
              <Text size="sm">
                A crawler is a crawl with a name. Any client of the Glue API can make one, such as{" "}
                <Mono>aws glue create-crawler</Mono>.
              </Text>
            </Empty>
          }
        >
          {(items) => <CrawlerTable crawlers={items} />}
        </LoadedList>
      </Panel>
    </Page>
  );
}

function useOpenCrawl() {
  const navigate = useNavigate();
  const client = useQueryClient();
  return (crawl: { id: string }) => {
    client.invalidateQueries({ queryKey: ["crawls"] });
    client.invalidateQueries({ queryKey: ["crawlers"] });
    navigate({ to: "/crawls/$id", params: { id: crawl.id } });
  };
}

function CrawlForm() {
  const [path, setPath] = useState("");
  const [database, setDatabase] = useState("");
  const [dryRun, setDryRun] = useState(true);
  const open = useOpenCrawl();
  const start = useMutation({
    mutationFn: () => startCrawl(path.trim(), database.trim() || null, dryRun),
    onSuccess: open,
  });
  const id = useId();
  return (
    <Panel title="Crawl a prefix">
      <form
        aria-labelledby={id}
        onSubmit={(event) => {
          event.preventDefault();
          start.mutate();
        }}
      >
        <span id={id} hidden>
          Crawl a prefix
        </span>
        <Stack gap="sm">
          <Group align="flex-end" gap="md">
            <TextInput
              label="Prefix"
              placeholder="s3://lake/raw/"
              pattern="s3a?://.+"
              title="An address such as s3://bucket/prefix/"
              required
              withAsterisk={false}
              w={{ base: "100%", sm: 340 }}
              value={path}
              onChange={(event) => setPath(event.currentTarget.value)}
            />
            <TextInput
              label="Database"
              placeholder="named after the prefix"
              w={{ base: "100%", sm: 220 }}
              value={database}
              onChange={(event) => setDatabase(event.currentTarget.value)}
            />
            <Checkbox
              label="Dry run"
              mb={8}
              checked={dryRun}
              onChange={(event) => setDryRun(event.currentTarget.checked)}
            />
            <Button type="submit" loading={start.isPending}>
              {dryRun ? "Show the plan" : "Crawl"}
            </Button>
          </Group>
          {start.isError ? <Failure error={start.error} /> : null}
        </Stack>
      </form>
    </Panel>
  );
}

function CrawlerTable({ crawlers: items }: { crawlers: Crawler[] }) {
  const open = useOpenCrawl();
  const start = useMutation({
    mutationFn: ({ name, dryRun }: { name: string; dryRun: boolean }) => startCrawler(name, dryRun),
    onSuccess: open,
  });
  const client = useQueryClient();
  const stop = useMutation({
    mutationFn: stopCrawler,
    onSettled: () => client.invalidateQueries({ queryKey: ["crawlers"] }),
  });
  const failed = [start, stop].find((action) => action.isError);
  return (
    <>
      {failed ? <Failure error={failed.error} /> : null}
      <DataTable
        label="Crawlers"
        rows={items}
        rowKey={(crawler) => crawler.name}
        columns={[
          { header: "Name", cell: (crawler) => crawler.name },
          { header: "State", cell: (crawler) => <StateBadge state={crawler.state} /> },
          {
            header: "Targets",
            wide: true,
            cell: (crawler) => <Mono>{crawler.targets.map((target) => target.path).join(", ")}</Mono>,
          },
          {
            header: "Into",
            cell: (crawler) => (
              <Link to="/databases/$database" params={{ database: crawler.database }}>
                {crawler.database}
              </Link>
            ),
          },
          {
            header: "Last crawl",
            cell: ({ last_crawl: last }) =>
              last ? (
                <Link to="/crawls/$id" params={{ id: last.id }}>
                  <When at={last.started_at} />
                </Link>
              ) : (
                <Nothing />
              ),
          },
          {
            header: "Next",
            cell: ({ schedule }) =>
              schedule ? (
                <span title={schedule.expression}>
                  {schedule.next_at ? <When at={schedule.next_at} /> : "paused"}
                </span>
              ) : (
                <Nothing />
              ),
          },
          {
            header: "Start",
            cell: (crawler) => (
              <Group gap="xs" wrap="nowrap">
                {crawler.state === "RUNNING" ? (
                  <Button
                    size="xs"
                    variant="default"
                    aria-label={`Stop ${crawler.name}`}
                    onClick={() => stop.mutate(crawler.name)}
                  >
                    Stop
                  </Button>
                ) : null}
                {[false, true].map((dryRun) => (
                  <Button
                    key={String(dryRun)}
                    size="xs"
                    variant="default"
                    disabled={crawler.state !== "READY"}
                    aria-label={`${dryRun ? "Dry run of" : "Run"} ${crawler.name}`}
                    onClick={() => start.mutate({ name: crawler.name, dryRun })}
                  >
                    {dryRun ? "Dry run" : "Run"}
                  </Button>
                ))}
              </Group>
            ),
          },
        ]}
      />
    </>
  );
}
