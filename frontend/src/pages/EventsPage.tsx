// What arrived in the lake, and what became of it.
import { useInfiniteQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { events } from "../api/queries";
import type { Event } from "../api/types";
import { Filter, matches } from "../ui/Filter";
import { Empty, LoadedList } from "../ui/Loaded";
import { Page, Panel } from "../ui/Page";
import { UploadHint } from "./hints";
import { EventTable } from "./lists";

const route = getRouteApi("/events");

/** Every text of an event a reader may search for, ids of the runs it led to included. */
function texts(event: Event): string[] {
  return [
    event.id,
    event.kind,
    event.source,
    `s3://${event.bucket}/${event.key}`,
    ...event.outcomes.flatMap((outcome) => [
      outcome.trigger ?? "",
      outcome.state,
      outcome.run ?? "",
      outcome.detail ?? "",
    ]),
  ];
}

export function EventsPage() {
  const query = useInfiniteQuery(events);
  const { q = "" } = route.useSearch();
  const navigate = route.useNavigate();
  return (
    <Page
      title="Events"
      lead="Each object that arrived, the triggers that saw it, and the run that came of it."
      path="/api/v1/events"
      command="mastic events list"
    >
      <Panel
        flush
        title="Arrivals"
        actions={
          <Filter
            label="Filter events"
            value={q}
            onChange={(value) => navigate({ search: { q: value || undefined }, replace: true })}
          />
        }
      >
        <LoadedList
          query={query}
          one="event"
          keep={(event) => matches(q, ...texts(event))}
          empty={
            <Empty title="Nothing has arrived yet.">
              <UploadHint />
            </Empty>
          }
        >
          {(items) => <EventTable events={items} />}
        </LoadedList>
      </Panel>
    </Page>
  );
}
