// All registered jobs.
import { useInfiniteQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { jobs } from "../api/queries";
import { Tag } from "../ui/Badge";
import { DataTable } from "../ui/DataTable";
import { Filter, matches } from "../ui/Filter";
import { Empty, LoadedList } from "../ui/Loaded";
import { Link } from "../ui/link";
import { Mono, Nothing, Page, Panel } from "../ui/Page";
import { When } from "../ui/When";
import { DemoHint, JobHint } from "./hints";

const route = getRouteApi("/jobs");

export function JobsPage() {
  const query = useInfiniteQuery(jobs);
  const { q = "" } = route.useSearch();
  const navigate = route.useNavigate();
  return (
    <Page title="Jobs" path="/api/v1/jobs" command="mastic jobs list">
      <Panel
        flush
        title="Registered"
        actions={
          <Filter
            label="Filter jobs"
            value={q}
            onChange={(value) => navigate({ search: { q: value || undefined }, replace: true })}
          />
        }
      >
        <LoadedList
          query={query}
          one="job"
          keep={(job) => matches(q, job.name, job.description, job.engine)}
          empty={
            <Empty title="No job is registered.">
              <JobHint />
              <DemoHint />
            </Empty>
          }
        >
          {(items) => (
            <DataTable
              label="Jobs"
              rows={items}
              rowKey={(job) => job.name}
              columns={[
                {
                  header: "Name",
                  cell: (job) => (
                    <Link to="/jobs/$name" params={{ name: job.name }}>
                      {job.name}
                    </Link>
                  ),
                },
                { header: "Description", wide: true, cell: (job) => job.description ?? <Nothing /> },
                { header: "Engine", cell: (job) => <Tag>{job.engine}</Tag> },
                {
                  header: "Triggers",
                  cell: (job) =>
                    job.triggers.length > 0 ? <Mono>{job.triggers.join(", ")}</Mono> : <Nothing />,
                },
                { header: "Version", numeric: true, cell: (job) => job.version },
                { header: "Updated", cell: (job) => <When at={job.updated_at} /> },
              ]}
            />
          )}
        </LoadedList>
      </Panel>
    </Page>
  );
}
