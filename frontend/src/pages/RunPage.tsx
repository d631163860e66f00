// One run: how it went, with what, what it read and wrote, and its log.
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { cancelRun } from "../api/actions";
import { isActive, job, run } from "../api/queries";
import type { Run } from "../api/types";
import { count, counted, size } from "../format/number";
import { StateBadge } from "../ui/Badge";
import { DataTable } from "../ui/DataTable";
import { Button } from "../ui/kit";
import { Empty, Failure, Loaded } from "../ui/Loaded";
import { Link } from "../ui/link";
import { Notice } from "../ui/Notice";
import { Facts, Mono, Nothing, Page, Panel } from "../ui/Page";
import { Took, When } from "../ui/When";
import { Parameters } from "./lists";
import { RunLog } from "./RunLog";
import { TableLink } from "./TableLink";

const route = getRouteApi("/runs/$id");

export function RunPage() {
  const { id } = route.useParams();
  const query = useQuery(run(id));
  const client = useQueryClient();
  const cancel = useMutation({
    mutationFn: () => cancelRun(id),
    onSettled: () => client.invalidateQueries({ queryKey: ["runs"] }),
  });
  const { data } = query;
  return (
    <Page
      title={data ? `Run of ${data.job}` : "Run"}
      trail={[
        <Link key="runs" to="/runs">
          Runs
        </Link>,
      ]}
      badge={data ? <StateBadge state={data.state} /> : null}
      lead={<Mono>{id}</Mono>}
      actions={
        data && isActive(data.state) ? (
          <Button variant="default" loading={cancel.isPending} onClick={() => cancel.mutate()}>
            Cancel the run
          </Button>
        ) : null
      }
      path={`/api/v1/runs/${encodeURIComponent(id)}`}
      command={`mastic runs logs ${id} --follow`}
    >
      {cancel.isError ? <Failure error={cancel.error} title="The run was not cancelled" /> : null}
      <Loaded query={query} lines={8}>
        {(found) => (
          <>
            {found.waiting ? <Notice title="The run waits" message={found.waiting} /> : null}
            {found.error ? (
              <Notice title="The run failed" message={found.error.message} hint={found.error.hint} />
            ) : null}
            <Summary run={found} />
            <Files run={found} />
            <RunLog key={id} id={id} live={isActive(found.state)} />
          </>
        )}
      </Loaded>
    </Page>
  );
}

function flow(rows: number | null | undefined, bytes: number | null | undefined) {
  if (rows == null && bytes == null) return null;
  return [rows == null ? null : counted(rows, "row"), bytes == null ? null : size(bytes)]
    .filter((part) => part !== null)
    .join(", ");
}

function Summary({ run: of }: { run: Run }) {
  const definition = useQuery(job(of.job));
  const table = definition.data?.output?.table;
  return (
    <Panel title="Summary">
      <Facts
        items={[
          [
            "Job",
            <Link key="job" to="/jobs/$name" params={{ name: of.job }}>
              {of.job}
            </Link>,
          ],
          [
            "In the place of",
            of.previous ? (
              <Link key="previous" to="/runs/$id" params={{ id: of.previous }}>
                <Mono>{of.previous}</Mono>
              </Link>
            ) : null,
          ],
          ["Parameters", <Parameters key="parameters" of={of.parameters} />],
          ["Output table", table ? <TableLink key="table" name={table} /> : null],
          ["Read", flow(of.rows_in, of.bytes_in)],
          ["Written", flow(of.rows_out, of.bytes_out)],
          ["Took", <Took key="took" ms={of.duration_ms} from={of.started_at} to={of.finished_at} />],
          [
            "Used",
            of.usage
              ? `${(of.usage.cpu_ms / 1000).toFixed(1)} s of CPU, ${size(of.usage.peak_memory_bytes)}`
              : null,
          ],
          ["Queued", <When key="queued" at={of.created_at} />],
          ["Started", <When key="started" at={of.started_at} />],
          ["Finished", <When key="finished" at={of.finished_at} />],
          [
            "Started by",
            of.trigger ? (
              <span key="by">
                trigger {of.trigger}
                {of.events.length > 0 ? (
                  <>
                    , on{" "}
                    <Link to="/events" search={{ q: of.id }}>
                      {counted(of.events.length, "event")}
                    </Link>
                  </>
                ) : null}
              </span>
            ) : (
              <Nothing key="by" text="hand" />
            ),
          ],
          ["Attempt", count(of.attempt)],
        ]}
      />
    </Panel>
  );
}

function Files({ run: of }: { run: Run }) {
  return (
    <>
      <Panel flush title="Inputs">
        {of.inputs.length === 0 ? (
          <Empty title="No input was read." />
        ) : (
          <DataTable
            label="Inputs"
            rows={of.inputs}
            rowKey={(input) => `${input.name} ${input.path}`}
            columns={[
              { header: "As", cell: (input) => <Mono>{input.name}</Mono> },
              { header: "Object", wide: true, cell: (input) => <Mono>{input.path}</Mono> },
              {
                header: "Rows",
                numeric: true,
                cell: (input) => (input.rows == null ? <Nothing text="–" /> : count(input.rows)),
              },
              { header: "Size", numeric: true, cell: (input) => size(input.size) },
              { header: "ETag", cell: (input) => <ShortTag of={input.etag} /> },
            ]}
          />
        )}
      </Panel>
      <Panel flush title="Outputs">
        {of.outputs.length === 0 ? (
          <Empty title={isActive(of.state) ? "Nothing is written yet." : "Nothing was written."} />
        ) : (
          <DataTable
            label="Outputs"
            rows={of.outputs}
            rowKey={(output) => output.path}
            columns={[
              { header: "Object", wide: true, cell: (output) => <Mono>{output.path}</Mono> },
              { header: "Rows", numeric: true, cell: (output) => count(output.rows) },
              { header: "Size", numeric: true, cell: (output) => size(output.size) },
              { header: "ETag", cell: (output) => <ShortTag of={output.etag} /> },
            ]}
          />
        )}
      </Panel>
    </>
  );
}

function ShortTag({ of }: { of: string }) {
  const plain = of.replaceAll('"', "");
  return (
    <span className="mono" title={plain}>
      {plain.length > 10 ? `${plain.slice(0, 8)}…` : plain}
    </span>
  );
}
