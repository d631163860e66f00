// All runs, of every job or of one, in any state or in one.
import { useInfiniteQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { jobs, runs } from "../api/queries";
import { Select } from "../ui/kit";
import { Empty, LoadedList } from "../ui/Loaded";
import { Page, Panel } from "../ui/Page";
import { JobHint } from "./hints";
import { RunTable } from "./lists";

const route = getRouteApi("/runs");

const states = [
  { value: "QUEUED", label: "Queued" },
  { value: "RUNNING", label: "Running" },
  { value: "SUCCEEDED", label: "Succeeded" },
  { value: "FAILED", label: "Failed" },
  { value: "CANCELLED", label: "Cancelled" },
];

export function RunsPage() {
  const filter = route.useSearch();
  const navigate = route.useNavigate();
  const query = useInfiniteQuery(runs(filter));
  const known = useInfiniteQuery(jobs);
  const names = new Set(known.data?.pages.flatMap((page) => page.items.map((job) => job.name)));
  if (filter.job) names.add(filter.job);
  const set = (change: { job?: string; state?: string }) =>
    navigate({ search: { ...filter, ...change }, replace: true });
  const filtered = filter.job !== undefined || filter.state !== undefined;
  return (
    <Page title="Runs" path="/api/v1/runs" command="mastic runs list">
      <Panel
        flush
        title="Runs"
        actions={
          <>
            <Select
              size="sm"
              w={{ base: "100%", xs: 190 }}
              aria-label="Job"
              placeholder="Every job"
              data={[...names].sort()}
              value={filter.job ?? null}
              onChange={(value) => set({ job: value ?? undefined })}
              clearable
              clearButtonProps={{ "aria-label": "Every job" }}
            />
            <Select
              size="sm"
              w={{ base: "100%", xs: 170 }}
              aria-label="State"
              placeholder="Any state"
              data={states}
              value={filter.state ?? null}
              onChange={(value) => set({ state: value ?? undefined })}
              clearable
              clearButtonProps={{ "aria-label": "Any state" }}
            />
          </>
        }
      >
        <LoadedList
          query={query}
          one="run"
          empty={
            filtered ? (
              <Empty title="No run matches the filter." />
            ) : (
              <Empty title="No job has run yet.">
                <JobHint />
              </Empty>
            )
          }
        >
          {(items) => <RunTable runs={items} />}
        </LoadedList>
      </Panel>
    </Page>
  );
}
